/**
 * A right inventory as text, for tests that break it in one place.
 * Rule: it stays valid by itself; every test changes exactly what it is about.
 */
import { ConfigError, parseInventory } from '../../config/load.ts';
import { describeProblem } from '../../config/problem.ts';

export const rightText = `temporal:
  address: localhost:7233
sites:
  azure-west:
    kind: azure
    subscriptionId: "00000000-0000-0000-0000-000000000000"
    credential:
      kind: client-secret
      tenantId: t
      clientId: c
      secret: { file: secrets/azure }
  home:
    kind: vsphere
    url: https://vc.example/sdk
    user: homeward
    password: { env: VC_PASSWORD }
    datacenter: DC0
movers:
  m1: { site: home, vm: /DC0/vm/mover, state: state/m1 }
policies:
  nightly:
    sync: during
    roundEverySeconds: 60
machines:
  erp-db:
    source: { site: azure-west, path: rg-dr/erp-db }
    target: { site: home, path: /DC0/vm/erp-db }
    mover: m1
    policy: nightly
    disks:
      os: "[ds] erp-db/erp-db.vmdk"
      data-0: "[ds] erp-db/erp-db_1.vmdk"
`;

/** The text with one part replaced. Throws when the part is not there, so that no test passes by accident. */
export function changed(part: string, by: string): string {
  if (!rightText.includes(part)) throw new Error(`the right inventory does not contain "${part}"`);
  return rightText.replace(part, by);
}

/** The problems of a text, as they are printed; empty when it is right. */
export function problemsOf(text: string): string[] {
  try {
    parseInventory(text, 'h.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(describeProblem);
  }
}
