/**
 * In which order jest takes the files: the longest of all before the others.
 * Rule: the workers end together only when no long file begins last; which tests run never depends on it.
 */

/** As measured, the longest first; a file that takes a few seconds need not be here. */
const longest = [
  'story/faults',
  'story/messages',
  'story/matrix',
  'disk/kill',
  'story/kill',
  'story/source-watch',
  'azure/random-wire',
  'story/cancel',
  'story/gates',
  'story/steering',
  'disk/io-faults',
  'story/bad-input',
  'story/happy',
  'story/stunned',
  'story/looking',
  'story/left-out',
  'client/unattended',
  'azure/retire',
  'lab/lab',
  'story/limits',
  'story/reassign',
  'story/secrets',
  'client/cli',
  'vsphere/faults',
  'azure/reading',
  'disk/equality',
  'disk/fencing',
  'disk/partial-block',
  'azure/preflight',
  'disk/scrub',
  'disk/seal',
  'lab/child',
  'story/home-already',
];

const rank = (path) => {
  const [, name, story] = /[/\\]test[/\\]((story)?[\w/\\-]+)\.test\.ts$/.exec(path) ?? [];
  const at = longest.indexOf(name?.replaceAll('\\', '/'));
  if (at >= 0) return at;
  // A story that nobody has measured yet is one of the long ones.
  return story === undefined ? longest.length + 1 : 0;
};

module.exports = class LongestFirst {
  sort(tests) {
    const size = ({ path }) => require('node:fs').statSync(path).size;
    return [...tests].sort((a, b) => rank(a.path) - rank(b.path) || size(b) - size(a));
  }

  shard(tests) {
    return tests;
  }

  allFailedTests(tests) {
    return this.sort(tests);
  }

  cacheResults() {
    // The order is ours, whatever was measured before.
  }
};
