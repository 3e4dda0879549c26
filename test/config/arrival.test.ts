/**
 * What a policy may say of arriving, and what it cannot mean: each mistake is told where it stands.
 */
import { parseInventory } from '../../config/load.ts';
import { policyOf } from '../../model/inventory.ts';
import { changed, problemsOf } from './inventory-text.ts';

const policy = (text: string): string => changed('    roundEverySeconds: 60', `    roundEverySeconds: 60\n${text}`);
const withGuest = (text: string): string =>
  policy(text).replace(
    '    policy: nightly',
    '    policy: nightly\n    guest: { user: root, password: { env: GUEST } }',
  );
const probe = 'probes: [{ kind: tcp, name: app, port: 8080 }]';

test('a policy that says nothing of arriving is committed by hand, by one person, and proves nothing first', () => {
  const parsed = policyOf(parseInventory(changed('sync: during', 'sync: before'), 'h.yaml'), 'erp-db');
  expect(parsed).toMatchObject({
    ...{ beforeStop: [], afterStart: [], probes: [], prove: 'no', enableTools: true, keepFinalSnapshotsDays: 0 },
    ...{ agentWaitSeconds: 900, commit: { people: 1 } },
  });
  expect(parsed.commit.approved).toBeUndefined();
  expect(parsed.commit.rollback).toBeUndefined();
});

test('a policy with scripts, probes, a commit approved beforehand and a rollback is right', () => {
  const text = withGuest(
    [
      '    beforeStop: [{ name: drain, script: "systemctl stop erp", critical: false, retries: 2 }]',
      '    afterStart: [{ name: dns, script: "nsupdate /etc/home.txt" }]',
      '    probes:',
      '      - { kind: tools, name: tools }',
      '      - { kind: http, name: app, url: "https://{ip}/health", acceptAnyCertificate: true }',
      '      - { kind: script, name: db, script: "pg_isready" }',
      '    commit:',
      '      people: 2',
      '      approved: { by: ana, soakSeconds: 3600 }',
      '      rollback: { when: probes-fail, lossAcceptedBy: ben }',
      '    keepFinalSnapshotsDays: 14',
    ].join('\n'),
  );
  expect(problemsOf(text)).toEqual([]);
});

test.each<[string, string, RegExp]>([
  [
    'a commit approved beforehand without a probe',
    policy('    commit: { approved: { by: ana, soakSeconds: 60 } }'),
    /policies\.nightly\.commit\.approved: a commit is approved beforehand only under a condition: write at least one probe/,
  ],
  [
    'a commit approved by nobody',
    policy(`    ${probe}\n    commit: { approved: { by: "  ", soakSeconds: 60 } }`),
    /policies\.nightly\.commit\.approved\.by/,
  ],
  [
    'a commit approved by a timer alone',
    policy(`    ${probe}\n    commit: { approved: { soakSeconds: 60 } }`),
    /policies\.nightly\.commit\.approved\.by: is missing/,
  ],
  [
    'a rollback that nobody accepts the loss of',
    policy(`    ${probe}\n    commit: { rollback: { when: probes-fail } }`),
    /policies\.nightly\.commit\.rollback\.lossAcceptedBy: is missing/,
  ],
  [
    'a rollback without a probe that could fail',
    policy('    commit: { rollback: { when: probes-fail, lossAcceptedBy: ana } }'),
    /policies\.nightly\.commit\.rollback: there is no probe that could fail/,
  ],
  ['three people for a commit', policy('    commit: { people: 3 }'), /policies\.nightly\.commit\.people/],
  [
    'two steps of one name',
    withGuest('    afterStart: [{ name: a, script: "true" }, { name: a, script: "false" }]'),
    /policies\.nightly\.afterStart: two of them are called "a"/,
  ],
  [
    'a script at home without a login',
    policy('    afterStart: [{ name: dns, script: "true" }]'),
    /machines\.erp-db\.policy: policy "nightly" runs scripts in the guest at home: give the machine guest/,
  ],
  [
    'a password that stands in the file',
    policy('').replace('    policy: nightly', '    policy: nightly\n    guest: { user: root, password: secret }'),
    /machines\.erp-db\.guest\.password: a secret may not stand in the inventory/,
  ],
  [
    'a proof without a network that leads nowhere',
    policy('    prove: isolated'),
    /machines\.erp-db\.policy: policy "nightly" proves on an isolated network: give site "home" isolatedNetwork/,
  ],
  [
    'a probe of a URL that is none',
    policy('    probes: [{ kind: http, name: app, url: "erp.example/health" }]'),
    /policies\.nightly\.probes\.0\.url: write a whole URL that begins with http:\/\//,
  ],
  [
    'a probe of a URL with another word in braces',
    policy('    probes: [{ kind: http, name: app, url: "https://{ipp}/health" }]'),
    /policies\.nightly\.probes\.0\.url: only \{ip\} may stand in braces/,
  ],
  [
    'a probe of a port at a word in braces',
    policy('    probes: [{ kind: tcp, name: app, host: "{ip}", port: 443 }]'),
    /policies\.nightly\.probes\.0\.host: write a name or an address alone; leave it out/,
  ],
  [
    'S13 a login in the URL of a probe',
    policy('    probes: [{ kind: http, name: app, url: "https://ana@{ip}/health" }]'),
    /policies\.nightly\.probes\.0\.url: a login may not stand in a URL/,
  ],
  [
    'a script with the name of one of ours',
    policy('    beforeStop: [{ name: enable-vmware-tools, script: "true" }]'),
    /policies\.nightly\.beforeStop: "enable-vmware-tools" is the name of a script of Homeward's own/,
  ],
  [
    'a script with the name of the one that sets VMware Tools back',
    policy('    beforeStop: [{ name: restore-vmware-tools, script: "true" }]'),
    /policies\.nightly\.beforeStop: "restore-vmware-tools" is the name/,
  ],
  [
    'a script of few characters that is too long in bytes',
    withGuest(`    afterStart: [{ name: a, script: "${'ä'.repeat(3_001)}" }]`),
    /policies\.nightly\.afterStart\.0\.script: a guest takes at most 6000 bytes/,
  ],
  [
    'a script that is too long for a guest',
    withGuest(`    afterStart: [{ name: a, script: "${'x'.repeat(6_001)}" }]`),
    /policies\.nightly\.afterStart\.0\.script/,
  ],
])('%s is refused where it stands', (_what, text, wanted) => {
  const problems = problemsOf(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(wanted);
});
