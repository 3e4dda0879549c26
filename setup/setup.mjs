/**
 * Brings a fresh clone to the point where everything runs: packages, a Node that runs TypeScript, the two Go programs.
 * Rule: it is silent and takes well under a second when nothing is to do; what it makes, it makes once.
 * Never asks a question, and never needs more rights than the user has.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureHostTools } from './host-tools.mjs';
import { ensureNode } from './node-program.mjs';
import { ensurePackages } from './packages.mjs';
import { SetUpProblem } from './problem.mjs';
import { programPath } from './programs.mjs';
import { Progress } from './progress.mjs';

/**
 * @param {{ quiet?: boolean, lab?: boolean }} [options] quiet: no progress; lab: false leaves out what only the lab needs.
 * @returns {Promise<{ node: string }>} the Node to run Homeward on.
 */
export async function ensureSetUp({ quiet = false, lab = true } = {}) {
  const progress = new Progress({ quiet });
  if (lab) ensureHostTools();
  // Packages come over the network while the programs keep the processor busy: side by side they take less time.
  // The first that fails ends the set-up at once; Go keeps what it has compiled, so nothing is lost by that.
  const [node] = await Promise.all([packagesAndNode(progress), lab ? labPrograms(progress) : undefined]);
  return { node };
}

async function packagesAndNode(progress) {
  await ensurePackages(progress);
  return ensureNode(progress);
}

/** One after the other: each build uses all cores by itself. */
async function labPrograms(progress) {
  await programPath('vcenter', progress);
  await programPath('temporal', progress);
}

/** Prints a problem as a person should see it and ends the process, with its exit code or 1. */
export function endWith(problem) {
  process.stderr.write(`${problem instanceof SetUpProblem ? problem.message.trimEnd() : (problem.stack ?? problem)}\n`);
  process.exit(problem instanceof SetUpProblem ? problem.code : 1);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  ensureSetUp().catch(endWith);
}
