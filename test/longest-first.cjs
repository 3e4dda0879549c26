/**
 * In which order jest takes the files: the longest of all before the others.
 * Rule: the workers end together only when no long file begins last; which tests run never depends on it.
 */

/** As measured, the longest first; a file that takes a few seconds need not be here. */
const longest = [
  'story/points',
  'story/bad-input',
  'story/messages',
  'azure/random-wire',
  'story/kill',
  'story/source-watch',
  'story/cancel',
  'story/happy',
  'story/arrival',
  'story/gates',
  'story/looking',
  'story/matrix',
  'story/faults',
  'story/workers',
  'story/reassign',
  'disk/kill',
  'story/large-disk',
  'boot/boot',
  'lab/lab',
  'client/cli',
  'disk/equality',
  'disk/partial-block',
  'disk/io-faults',
  'disk/windows-model',
  'vsphere/round-trip',
  'story/secrets',
  'story/undo',
  'azure/reading',
  'story/alternate',
  'azure/retire',
  'azure/recovery-points',
  'story/source-under-us',
  'workers/workflow-bundle',
  'azure/preflight',
  'story/home-under-us',
  'vsphere/faults',
  'client/unattended',
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
