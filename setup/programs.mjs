/**
 * The Go programs: the lab's Temporal server and vCenter simulator, the bench's server; and the ways to get each.
 * Rule: environment variable, PATH, cache, `go build`, download: the first that works, in this order.
 * Never falls back silently when the user has named a program: a wrong path is an error.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable, runCommand } from './command.mjs';
import { downloadTemporal } from './download.mjs';
import { findGo, goBuild } from './go-build.mjs';
import { cacheFolder, platform, projectFolder } from './places.mjs';
import { SetUpProblem } from './problem.mjs';
import { Progress } from './progress.mjs';

const temporalVersion = '1.8.2';

/** Each program: how it is called, found and built. `package` is what `go build` is given in the folder `module`. */
const programs = {
  temporal: {
    title: 'the Temporal server',
    variable: 'HOMEWARD_TEMPORAL',
    version: temporalVersion,
    module: join(projectFolder, 'lab', 'go', 'temporal'),
    package: 'github.com/temporalio/cli/cmd/temporal',
    flags: ['-ldflags', `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${temporalVersion}`],
    onPath: { name: 'temporal', oldest: [1, 5] },
    download: downloadTemporal,
    byHand: 'install the Temporal CLI 1.5 or newer so that `temporal` is on PATH',
  },
  vcenter: {
    title: 'the vCenter simulator',
    variable: 'HOMEWARD_VCENTER_SIMULATOR',
    version: '1',
    module: join(projectFolder, 'lab', 'go', 'vcenter'),
    package: '.',
    flags: ['-ldflags', '-s -w'],
  },
  bench: {
    title: 'the bench’s server',
    variable: 'HOMEWARD_BENCH_SERVER',
    version: '1',
    module: join(projectFolder, 'bench', 'go'),
    package: '.',
    flags: ['-ldflags', '-s -w'],
  },
};

export const programNames = Object.keys(programs);

/** A digest of what the program is built from, so that a change of it is a new file in the cache. */
function sourceDigest(plan) {
  const digest = createHash('sha256').update(plan.flags.join(' '));
  const files = readdirSync(plan.module).filter(
    (name) => /^go\.(mod|sum)$/.test(name) || (name.endsWith('.go') && !name.endsWith('_test.go')),
  );
  for (const name of files.sort()) digest.update(`\0${name}\0`).update(readFileSync(join(plan.module, name)));
  return digest.digest('hex').slice(0, 12);
}

const cached = (name, plan) =>
  join(cacheFolder(), 'programs', `${name}-${plan.version}-${sourceDigest(plan)}-${platform}`);

function named(plan) {
  const path = process.env[plan.variable];
  if (path === undefined || path === '') return undefined;
  if (isExecutable(path)) return path;
  throw new SetUpProblem(
    `${plan.variable} names ${path}, which cannot be run.`,
    `Correct ${plan.variable} or unset it.`,
  );
}

async function installed(plan) {
  if (plan.onPath === undefined) return undefined;
  const path = findOnPath(plan.onPath.name);
  if (path === undefined) return undefined;
  const said = await runCommand(path, ['--version']).catch(() => '');
  const [major = 0, minor = 0] = (/version (\d+)\.(\d+)/.exec(said) ?? []).slice(1).map(Number);
  const [oldestMajor, oldestMinor] = plan.onPath.oldest;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor) ? path : undefined;
}

/** What a full disk, or a folder that is not ours, fails with: here, in the C library's words and in Go's. */
const unwritable =
  /EACCES|EPERM|EROFS|ENOSPC|EDQUOT|permission denied|read-only file system|no space left|quota exceeded/i;

async function made(plan, target, progress) {
  const tried = [];
  const attempt = async (way, work) => {
    try {
      await work();
      return existsSync(target);
    } catch (cause) {
      tried.push(`${way}: ${[cause.message, cause.cause?.message].filter(Boolean).join(', ')}`);
      return false;
    }
  };
  const build = () => goBuild({ target, module: plan.module, package: plan.package, flags: plan.flags });
  const label = `building ${plan.title}${plan.download ? ' (a few minutes, once)' : ''}`;
  if (await attempt('go build', () => (findGo() === undefined ? build() : progress.during(label, build))))
    return target;
  if (plan.download !== undefined) {
    mkdirSync(dirname(target), { recursive: true });
    if (await attempt('download', () => progress.during(`downloading ${plan.title}`, () => plan.download(target))))
      return target;
  }
  const ways = [
    unwritable.test(tried.join()) &&
      `make room in ${cacheFolder()} and let this user write there, or name another folder with XDG_CACHE_HOME`,
    `install Go 1.26 or newer (an older one from 1.21 on fetches it by itself)`,
    plan.byHand,
    `set ${plan.variable} to the program's path`,
  ];
  throw new SetUpProblem(
    `${plan.title} is not there, and could not be made (${tried.join('; ')}).`,
    `Do one of these and run the command again: ${ways.filter(Boolean).join('; or ')}.`,
  );
}

/**
 * @param {'temporal' | 'vcenter' | 'bench'} name
 * @returns {Promise<string>} an absolute path of a program that can be run; made first when it is missing.
 */
export async function programPath(name, progress = new Progress()) {
  const plan = programs[name];
  if (plan === undefined) throw new Error(`there is no program ${name}; there are ${programNames.join(' and ')}`);
  const target = cached(name, plan);
  return named(plan) ?? (await installed(plan)) ?? (isExecutable(target) ? target : await made(plan, target, progress));
}
