/**
 * The version of this program, as workers tell it to each other.
 */
import { readFileSync } from 'node:fs';

const packageFile = new URL('../package.json', import.meta.url);

export const version: string = (JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string }).version;
