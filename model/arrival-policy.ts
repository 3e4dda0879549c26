/**
 * What a policy may say of arriving: scripts in the guest, probes of the machine at home, proving first, and the commit.
 * Rule: whoever accepts something beforehand (a commit, a loss) is named here, and it is bound to probes; no timer alone
 * ever commits (L4). Scripts stand in the run's history: never put a secret into one (S13).
 */
import { z } from 'zod';

const person = z.string().trim().min(1).max(200);
const label = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'use lower-case letters, digits and dashes, at most 40')
  .describe('Names it in the record.');
/** Bytes, as they are encoded twice for PowerShell's argument; Windows takes 32,767 characters. */
const longestScript = 6_000;
/** What is too long in characters is told by that alone. */
const fits = (text: string): boolean =>
  text.length > longestScript || new TextEncoder().encode(text).length <= longestScript;
const script = z
  .string()
  .min(1)
  .max(longestScript)
  .refine(fits, `a guest takes at most ${longestScript} bytes of UTF-8: put it into the machine and only call it here`)
  .describe('The script itself; it stands in the history, no secrets.');
const shell = z.enum(['sh', 'powershell']).default('sh');

export const guestStep = z.strictObject({
  name: label,
  script,
  shell,
  timeoutSeconds: z.int().min(1).max(5_400).default(300).describe('How long one try may run.'),
  retries: z.int().min(0).max(10).default(0).describe('Tries after the first one that failed.'),
  critical: z
    .boolean()
    .default(true)
    .describe('true: a failure calls an operator. false: it is recorded as a warning and the run goes on.'),
});

const patience = {
  name: label,
  everySeconds: z.number().min(0.1).max(300).default(5).describe('Pause between two looks.'),
  timeoutSeconds: z.number().min(0.1).max(7_200).default(300).describe('How long it may take until it passes.'),
};
const host = z
  .string()
  .regex(/^[^\s{}/]+$/, 'write a name or an address alone; leave it out for the address that the guest reports')
  .optional()
  .describe('Default: the address that the guest reports.');

export const probe = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tools'), ...patience }).describe('VMware Tools answer and report an address.'),
  z
    .strictObject({ kind: z.literal('tcp'), ...patience, host, port: z.int().min(1).max(65_535) })
    .describe('Something takes connections on the port.'),
  z
    .strictObject({
      kind: z.literal('http'),
      ...patience,
      url: z
        .string()
        .regex(
          /^https?:\/\/.+/,
          'write a whole URL that begins with http:// or https://; {ip} in it stands for the address that the guest reports',
        )
        .refine((text) => !/[{}]/.test(text.replaceAll('{ip}', '')), 'only {ip} may stand in braces')
        .refine((text) => !namesSomebody(text), 'a login may not stand in a URL: probe one that needs none')
        .describe(
          'https://erp.example/health; {ip} stands for the address that the guest reports. It stands in the history, no secrets.',
        ),
      status: z.int().min(100).max(599).default(200),
      acceptAnyCertificate: z
        .boolean()
        .default(false)
        .describe('Take any certificate of an https URL, also a forged one: the answer then proves little.'),
    })
    .describe('The URL answers with the status. Redirects are not followed.'),
  z
    .strictObject({ kind: z.literal('script'), ...patience, script, shell })
    .describe('The script ends with 0 in the guest at home.'),
]);

export const commitPolicy = z.strictObject({
  people: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('2: whoever commits must be another person than the one who completed the failover.'),
  approved: z
    .strictObject({
      by: person.describe('Who approves the commit beforehand.'),
      soakSeconds: z.number().min(1).max(2_592_000).describe('How long all probes must hold without a break.'),
    })
    .optional()
    .describe(
      'The commit is approved beforehand, under the condition that all probes pass and hold. Default: by hand.',
    ),
  rollback: z
    .strictObject({
      when: z.literal('probes-fail'),
      lossAcceptedBy: person.describe('Who accepts that what was written at home since its start is lost.'),
    })
    .optional()
    .describe(
      'Before the commit, a failed probe takes the run back: the source serves again. Default: a person is called.',
    ),
  probeEverySeconds: z
    .number()
    .min(0.1)
    .max(3_600)
    .default(30)
    .describe(
      'Pause between two rounds of all probes while a commit approved beforehand, or a rollback, waits for them.',
    ),
});

/** Whether a name or a password stands in a URL; one that is no URL is told by its own rule. */
function namesSomebody(url: string): boolean {
  const whole = url.replaceAll('{ip}', '192.0.2.1');
  if (!URL.canParse(whole)) return false;
  const { username, password } = new URL(whole);
  return username !== '' || password !== '';
}

/** The keys of a policy that are about arriving. */
export const arrivalPolicy = {
  beforeStop: z.array(guestStep).max(20).default([]).describe('Scripts in the source’s guest, before it is stopped.'),
  afterStart: z.array(guestStep).max(20).default([]).describe('Scripts in the guest at home, after it has started.'),
  enableTools: z
    .boolean()
    .default(true)
    .describe('Windows: let the service VMware Tools start by itself again, before the source is stopped.'),
  agentWaitSeconds: z
    .int()
    .min(5)
    .max(7_200)
    .default(900)
    .describe('How long the agent in a guest may take to be ready before a script is given to it.'),
  probes: z.array(probe).max(20).default([]).describe('What must hold of the machine at home before a commit.'),
  prove: z
    .enum(['no', 'isolated'])
    .default('no')
    .describe(
      'isolated: inside the outage, boot once on the site’s isolatedNetwork with disks that forget what is written, probe, power off, then go live.',
    ),
  commit: commitPolicy.prefault({}),
  keepFinalSnapshotsDays: z
    .int()
    .min(0)
    .max(365)
    .default(0)
    .describe('How long the final snapshots are kept in Azure after the commit; then Homeward deletes them.'),
} as const;

export type GuestStep = z.infer<typeof guestStep>;
export type Probe = z.infer<typeof probe>;
export type CommitPolicy = z.infer<typeof commitPolicy>;

/** A machine's login for its guest at home; only workers read it (S13). */
export const guestLogin = <S extends z.ZodType>(secretReference: S) =>
  z
    .strictObject({ user: z.string().min(1), password: secretReference })
    .describe('A login in the guest at home, for scripts there.');
