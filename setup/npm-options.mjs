/**
 * Options of ours that npm took for itself: `npm run homeward failback start erp-db --reread`, without the `--`.
 * Rule: only names that are ours and none of npm's own are looked at; what npm is set to elsewhere is nobody's mistake.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './places.mjs';
import { SetUpProblem } from './problem.mjs';

/** Of every program that npm starts here, but those that npm has as well: json, yes, link, only, version, help. */
const ourOptions = JSON.parse(readFileSync(join(projectFolder, 'setup', 'npm-options.json'), 'utf8'));

/** Where npm leaves it; of `--no-workers` it makes `workers` that is off. */
const variable = (name) => `npm_config_${name.replace(/^no-/, '').replaceAll('-', '_')}`;

/**
 * Throws SetUpProblem when npm took one. npm hands what it took to what it runs, and itself passes on nothing of it.
 * @param {Readonly<Record<string, string | undefined>>} env
 */
export function refuseTakenByNpm(env) {
  const script = env.npm_lifecycle_event;
  if (script === undefined) return;
  const taken = ourOptions.filter((name) => env[variable(name)] !== undefined);
  if (taken.length === 0) return;
  const options = taken.map((name) => `--${name}`).join(', ');
  throw new SetUpProblem(
    `npm took ${options} for itself, and nothing was started: without a "--" before it an option never arrives.`,
    `Write: npm run ${script} -- …, with every option behind the "--".`,
    2,
  );
}
