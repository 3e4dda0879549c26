/**
 * Which Homeward this is, for people and for reports.
 * Rule: one place reads it, from the package itself.
 */
import { readFileSync } from 'node:fs';

export function ownVersion(): string {
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return `${name} ${version}, Node ${process.version}`;
}
