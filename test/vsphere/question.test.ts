/** A machine that asks something while it starts: whoever waits for its task is told of the question, and waits no longer. */
import {
  answering,
  onSimulator,
  original,
  powerOf,
  quietWork,
  returnedBy,
  type Simulator,
  type TargetOptions,
} from './simulator.ts';

const names = ['asks-on', 'asks-off'];
let simulator: Simulator;
onSimulator(
  names.map((name) => ({ ...original(name), extraConfig: returnedBy(name) })),
  (started) => {
    simulator = started;
  },
);
afterEach(() => simulator.door('DELETE', '/rules'));

const question =
  '<propSet><name>runtime.question</name><val xsi:type="VirtualMachineQuestionInfo"><id>1</id><text>moved or copied?</text></val></propSet>';
/** Each machine that is looked at asks, as one does in the midst of its start. */
const asking = (): TargetOptions => ({
  transport: answering(simulator.ca, 'RetrievePropertiesEx', (body) =>
    body.replaceAll('<propSet><name>runtime.powerState</name>', `${question}$&`),
  ),
});

const stuck = (): Promise<unknown> =>
  simulator.door('POST', '/rules', { method: 'PowerOnVM_Task', where: 'task', delayMs: 40_000 });
const asks = { kind: 'Refused', op: 'PowerOnVM_Task', message: expect.stringContaining('asks: moved or copied?') };

test('L1 a start that waits for an answer to the question of its machine tells a person so, and does not wait on', async () => {
  await stuck();
  const began = Date.now();
  await expect(simulator.target(asking()).ensureStarted(powerOf('asks-on'), quietWork())).rejects.toMatchObject(asks);
  expect(Date.now() - began).toBeLessThan(20_000);
}, 60_000);

test('L1 S5 a stop of a machine whose start waits for an answer tells a person so, and does not wait on', async () => {
  await stuck();
  const started = simulator.target().ensureStarted(powerOf('asks-off'), quietWork());
  await new Promise((done) => setTimeout(done, 500));
  const began = Date.now();
  const stopped = simulator.target(asking()).ensureStopped(powerOf('asks-off'), quietWork());
  await expect(stopped).rejects.toMatchObject({ kind: 'Refused', message: asks.message });
  expect(Date.now() - began).toBeLessThan(20_000);
  await simulator.door('DELETE', '/rules');
  await started;
}, 60_000);
