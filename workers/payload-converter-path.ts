/**
 * Where the payload converter lies that every worker uses, also inside the bundle of the stories.
 * Rule: worker and bundle must name the same one, else a story could not read what its worker wrote.
 */
import { fileURLToPath } from 'node:url';

export const payloadConverterPath = fileURLToPath(new URL('../workflows/payload-converter.ts', import.meta.url));
