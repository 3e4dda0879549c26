/**
 * The inventory: what `homeward.yaml` may say. One schema gives the types, the validation and the JSON Schema for editors.
 * Rule: credentials are references (environment, file, the platform's default), never values; unknown keys are errors.
 */
import { z } from 'zod';
import { arrivalPolicy, guestLogin } from './arrival-policy.ts';
import { limitsSection } from './limit.ts';
import { createSection } from './new-place.ts';
import { origin } from './origin.ts';
import { pointPolicy } from './point-policy.ts';

const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'use lower-case letters, digits and dashes, at most 63, starting with a letter or digit',
  )
  .describe('A name: lower-case letters, digits and dashes.');
const text = z.string().min(1);

/** Where a secret is found. Its value never appears in the inventory, in history or in a log. */
export const secretReference = z
  .union([
    z.strictObject({ file: text.describe('File that holds the secret; relative to the inventory.') }),
    z.strictObject({ env: text.describe('Environment variable that holds the secret.') }),
  ])
  .describe('A reference to a secret: {file: …} or {env: …}.');

const azureCredential = z.union([
  z.strictObject({
    kind: z.literal('default').describe('DefaultAzureCredential: managed identity, az login, environment.'),
  }),
  z.strictObject({ kind: z.literal('client-secret'), tenantId: text, clientId: text, secret: secretReference }),
]);

const azureSite = z.strictObject({
  kind: z.literal('azure'),
  // Both cases are spelled out here and below: the JSON Schema that editors read knows no flags.
  subscriptionId: text.regex(
    /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
    'is no id of a subscription, like 6f1c0a52-93de-4b7a-8c55-0d2f4e9b7a10; az account show names it',
  ),
  credential: azureCredential,
  endpoint: z.url().default('https://management.azure.com').describe('Azure Resource Manager.'),
  authority: z.url().default('https://login.microsoftonline.com').describe('Microsoft Entra ID.'),
  caFile: text.optional().describe('Extra certificate authority to trust, PEM.'),
  proxy: z.url().optional().describe('HTTP proxy for the disks’ blob endpoints, e.g. http://proxy:3128.'),
  grantSeconds: z.int().min(60).max(5_184_000).default(14_400).describe('How long a SAS on a snapshot lives.'),
});

const vsphereSite = z.strictObject({
  kind: z.literal('vsphere'),
  url: z
    .url({ abort: true })
    .regex(/^[hH][tT][tT][pP][sS]:\/\//, 'must begin with https://, because the password travels on this connection')
    .describe('The SDK endpoint: https://vcenter.example/sdk'),
  user: text,
  password: secretReference,
  caFile: text.optional().describe('Certificate authority of the vCenter, PEM.'),
  thumbprint: text.optional().describe('SHA-256 thumbprint of the vCenter certificate, instead of caFile.'),
  datacenter: text.describe('Datacenter name, e.g. DC0.'),
  isolatedNetwork: text
    .optional()
    .describe('Port group that leads nowhere: where `prove: isolated` boots a machine first.'),
});

export const site = z.discriminatedUnion('kind', [azureSite, vsphereSite]);

const mover = z.strictObject({
  site: name.describe('The on-prem site the mover writes to.'),
  vm: text.describe('Inventory path of the mover appliance: /DC0/vm/homeward-mover'),
  state: text.describe('Folder for journals and digests on the mover; relative to the inventory.'),
  datastores: z
    .record(text, text)
    .default({})
    .describe('Datastores mounted on the mover: name to folder. Others are found as hot-added devices by WWN.'),
});

const policy = z.strictObject({
  sync: z
    .enum(['before', 'during'])
    .default('before')
    .describe('before: copy while the source runs. during: one full copy in the cutover.'),
  write: z
    .enum(['in-place', 'staged'])
    .default('in-place')
    .describe('in-place: the original disks. staged: new disks beside them.'),
  roundEverySeconds: z
    .number()
    .min(0.1)
    .max(86_400)
    .default(300)
    .describe('Pause between rounds while the gate is open; Azure itself takes no less than 45.'),
  guestWaitSeconds: z
    .int()
    .min(5)
    .max(7_200)
    .default(900)
    .describe('How long the guest may take to answer after the start.'),
  guestAgentWithinSeconds: z
    .int()
    .min(0)
    .max(7_200)
    .default(900)
    .describe(
      'How long after a boot the agent in the source’s guest (Azure VM agent) may take to report before preflight refuses. 0: it is not asked for.',
    ),
  moverSystem: z
    .enum(['any', 'same'])
    .default('any')
    .describe(
      'any: a Linux mover may carry a Windows machine, because it writes blocks and mounts nothing. same: preflight refuses a mover of another family.',
    ),
  heartbeatSeconds: z
    .int()
    .min(3)
    .max(600)
    .default(30)
    .describe('How long a silent worker counts as alive before its work is given to the next.'),
  sourceWatchSeconds: z
    .number()
    .min(0.1)
    .max(300)
    .default(30)
    .describe('How often the source is looked at while the target waits for its commit: it must stay off.'),
  homeWatchSeconds: z
    .number()
    .min(0.1)
    .max(3_600)
    .default(300)
    .describe(
      'How often home is looked at while the target’s disks are written: it must stay off, and all must stand as it was opened.',
    ),
  scrubEverySeconds: z
    .number()
    .min(0)
    .max(2_592_000)
    .default(21_600)
    .describe(
      'While rounds go on, the whole target is read again and compared in the background; this is the pause between two passes. 0: never.',
    ),
  reread: z
    .boolean()
    .default(false)
    .describe(
      'Read and compare the whole target once more before it is sealed. Costs outage: the source is stopped then.',
    ),
  remindEverySeconds: z
    .number()
    .min(0)
    .max(2_592_000)
    .default(14_400)
    .describe(
      'While a run waits for a person, it says so again this often: in a worker’s log and in its status. 0: never.',
    ),
  gateExpiresSeconds: z
    .number()
    .min(0)
    .max(31_536_000)
    .default(0)
    .describe(
      'When nobody completes the failover for so long after the run began to wait for it, the run is taken back and the source goes on serving. 0: never. A commit is waited for without end.',
    ),
  ...pointPolicy,
  commitNeedsEvidence: z.boolean().default(true).describe('A commit must name the evidence digest it approves.'),
  ...arrivalPolicy,
});

const address = z.strictObject({ site: name, path: text });

const machine = z.strictObject({
  source: address.describe('Azure: path is resourceGroup/vm.'),
  location: z
    .enum(['original', 'alternate'])
    .default('original')
    .describe(
      'original: the powered-off machine at the target’s path. alternate: a new one is made there; see create.',
    ),
  target: address.describe(
    'vSphere: path is the inventory path of the powered-off original, or of the machine to make.',
  ),
  mover: name,
  group: name
    .optional()
    .describe('Machines of one group come home through one mover, and one of them alone only when a person says so.'),
  policy: name.default('default'),
  origin: origin.optional().describe('Where it came from before it ran in Azure; guards against what cannot return.'),
  guest: guestLogin(secretReference).optional(),
  disks: z
    .record(z.string().regex(/^(os|data-\d{1,2})$/, 'use os or data-<lun>'), text)
    .optional()
    .describe(
      'Which target disk each source disk comes home to: {os: "[ds] vm/vm.vmdk", data-0: …}. Default: in slot order.',
    ),
  create: createSection.optional(),
});

const link = z.strictObject({
  movers: z.array(name).min(1).describe('The movers whose bytes go over this link.'),
});

const temporal = z.strictObject({
  address: text
    .regex(/^[^/\s]+$/, 'write host:port, without https:// or a path')
    .optional()
    .describe('host:port; default from TEMPORAL_ADDRESS or the Temporal profile, else localhost:7233.'),
  namespace: text.optional(),
  profile: text.optional().describe('Profile of the Temporal environment configuration.'),
});

export const inventory = z.strictObject({
  temporal: temporal.prefault({}),
  sites: z.record(name, site),
  movers: z.record(name, mover).default({}),
  links: z
    .record(name, link)
    .default({})
    .describe('Lines that several movers share, so that a limit can be put on them.'),
  limits: limitsSection.prefault({}).describe('How fast movers, sites and links may be used, and when.'),
  policies: z.record(name, policy).default({}),
  machines: z.record(name, machine).default({}),
});

export type Inventory = z.infer<typeof inventory>;
export type Site = z.infer<typeof site>;
export type AzureSiteConfig = z.infer<typeof azureSite>;
export type VsphereSiteConfig = z.infer<typeof vsphereSite>;
export type MoverConfig = z.infer<typeof mover>;
export type Policy = z.infer<typeof policy>;
export type MachineConfig = z.infer<typeof machine>;
export type SecretReference = z.infer<typeof secretReference>;

/** The policy a machine runs under; `default` exists even when nobody wrote it down. */
export const policyOf = (parsed: Inventory, machineName: string): Policy =>
  policy.parse(parsed.policies[parsed.machines[machineName]?.policy ?? 'default'] ?? {});

/** A policy of an inventory that is not right as a whole; undefined when it is misshapen itself. */
export const soundPolicy = (raw: unknown): Policy | undefined => policy.safeParse(raw).data;
