/**
 * What is looked at before anybody is asked: a message that the run would refuse is refused here, and does not leave.
 * Rule: only the server's and the run's answers are stood in for; the law that is asked is the run's own.
 */
import { type Asked, approvals } from '../../client/command/approve.ts';
import type { Link } from '../../client/connect.ts';
import type { Message } from '../../model/message.ts';
import type { Status } from '../../model/status.ts';
import { ago, statusIn } from './views.ts';

/** A server on which the run answers with this status. */
const linkTo = (status: Status): Link => {
  const description = {
    ...{ workflowId: 'machine/erp-db', runId: 'run-1', status: { name: 'RUNNING' }, startTime: new Date(), memo: {} },
    ...{ typedSearchAttributes: { get: () => undefined }, raw: {} },
  };
  const handle = {
    describe: async () => description,
    query: async () => status,
  };
  return {
    within: (_ms: number, call: () => Promise<unknown>) => call(),
    inventory: 'homeward.yaml',
    settings: { address: 'here:7233', namespace: 'default', origin: 'default' },
    client: { options: {}, workflow: { getHandle: () => handle } },
  } as unknown as Link;
};

/** What is sent in the end, or the problem; `shown`: what the person read. Nobody sits at the terminal. */
async function sayCancel(status: Status, options: { acceptLoss?: true; yes?: true } = {}) {
  const shown: string[] = [];
  const screen = { json: true, note: (text: string) => shown.push(text), ask: async () => undefined };
  const message: Message = { name: 'cancel', by: 'ana', ...(options.acceptLoss ? { acceptLoss: true } : {}) };
  const asked = { context: { screen, loaded: { inventory: {} } }, link: linkTo(status), machine: 'erp-db', options };
  const approve = approvals.cancel ?? (() => Promise.reject(new Error('a cancel is not asked about')));
  const sent = await approve({ ...asked, message } as unknown as Asked).catch((error: unknown) => error);
  return { sent, shown: shown.join('\n') };
}

const outage = { startedAt: ago(90) };
const home = statusIn('AwaitingCommit', { outage, targetLive: true, liveSince: ago(60) });

test('S5 S7 a cancel without the loss flag after the target went live is refused before it is sent, with what would be lost and what accepts it, also with --yes', async () => {
  for (const options of [{}, { yes: true }] as const) {
    const { sent, shown } = await sayCancel(home, options);
    expect(sent).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/refuses cancel: the target went live .* how much that is nobody has counted/),
      todo: expect.stringMatching(/^Nothing was sent\. To accept that: homeward failback cancel erp-db --accept-loss/),
    });
    expect(shown).toBe('');
  }
});

test('S5 a cancel is never sent without a yes, in no phase and with no flag, and once shown it is bound to its run', async () => {
  const refused = { kind: 'refused', message: 'nothing was sent: there is no terminal to confirm on' };
  expect((await sayCancel(statusIn('Syncing'))).sent).toMatchObject(refused);
  expect((await sayCancel(statusIn('Syncing'), { acceptLoss: true })).sent).toMatchObject(refused);
  expect((await sayCancel(home, { acceptLoss: true })).sent).toMatchObject(refused);
  const early = await sayCancel(statusIn('Syncing'), { acceptLoss: true, yes: true });
  expect(early.sent).toEqual({ run: 'run-1', acceptLoss: undefined });
  expect(early.shown).toMatch(/nothing was written at home yet[\s\S]*everything is taken back/);
  const late = await sayCancel(home, { acceptLoss: true, yes: true });
  expect(late.sent).toEqual({ run: 'run-1' });
  expect(late.shown).toContain('everything written at home since');
});

test('S5 a cancel with the loss flag of a machine whose start was refused, which so never ran at home, shows no loss and accepts none', async () => {
  const refused = statusIn('NeedsOperator', { left: 'StartingTarget', outage });
  const { sent, shown } = await sayCancel(refused, { acceptLoss: true, yes: true });
  expect(sent).toEqual({ run: 'run-1', acceptLoss: undefined });
  expect(shown).toMatch(/nothing was written at home yet[\s\S]*everything is taken back/);
  expect(shown).not.toContain('everything written at home');
});

test('S7 a cancel that was said before is sent again without a question, for it changes nothing', async () => {
  const said = statusIn('Undoing', { cancellation: { by: 'ben', at: ago(10) } });
  expect(await sayCancel(said)).toEqual({ sent: { run: 'run-1' }, shown: '' });
});
