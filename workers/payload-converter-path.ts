/**
 * Where the payload converter lies that every worker uses, also inside the bundle of the stories.
 * Rule: worker and bundle must name the same one, else a story could not read what its worker wrote.
 */
import { extname, join } from 'node:path';

const { dirname, filename } = import.meta;

/** In a bundle (setup/bundles.mjs) it is called as the bundle's files are. */
export const payloadConverterPath = join(dirname, '..', 'workflows', `payload-converter${extname(filename)}`);
