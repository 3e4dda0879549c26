/**
 * Signing in, trust, ended sessions, and what leaves on the wire.
 * Rule: envelopes are recorded between our client and the real simulator, so that what is judged is what was sent.
 */
import { X509Certificate } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { createSession } from '../../sites/vsphere/session.ts';
import { createTransport, type Transport } from '../../sites/vsphere/transport.ts';
import { onSimulator, original, password, pathOf, quietWork, requestFor, type Simulator } from './simulator.ts';

let simulator: Simulator;
const work = quietWork();

onSimulator(['wire', 'expire', 'expire-task', 'abort', 'login'].map(original), (started) => {
  simulator = started;
});
afterEach(() => simulator.door('DELETE', '/rules'));

/** Counts and keeps what is sent; the answers pass unchanged. */
function recording(): { transport: Transport; bodies: string[]; actions: Set<string>; count(op: string): number } {
  const inner = createTransport({ ca: simulator.ca });
  const bodies: string[] = [];
  const ops: string[] = [];
  const actions = new Set<string>();
  const transport: Transport = {
    exchange(call) {
      ops.push(call.op);
      if (call.body !== undefined) bodies.push(call.body);
      if (call.headers.SOAPAction !== undefined) actions.add(call.headers.SOAPAction);
      return inner.exchange(call);
    },
    close: () => inner.close(),
  };
  return { transport, bodies, actions, count: (op) => ops.filter((one) => one === op).length };
}

interface Node {
  readonly [name: string]: unknown;
}
const parser = new XMLParser({ preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '' });

/** Prefixes that are used but not bound at an element or one of its parents. */
function unbound(nodes: readonly Node[], bound: ReadonlySet<string>): string[] {
  return nodes.flatMap((node) => {
    const attributes = (node[':@'] ?? {}) as Record<string, string>;
    const now = new Set([
      ...bound,
      ...Object.keys(attributes).flatMap((name) => (name.startsWith('xmlns:') ? [name.slice(6)] : [])),
    ]);
    const name = Object.keys(node).find((key) => key !== ':@') ?? '';
    const typed = Object.entries(attributes).flatMap(([key, value]) => (key.endsWith(':type') ? [key, value] : []));
    const used = [name, ...typed]
      .filter((text) => text.includes(':') && !text.startsWith('xmlns'))
      .map((text) => text.split(':')[0] ?? '');
    const children = Array.isArray(node[name]) ? (node[name] as Node[]) : [];
    return [...used.filter((prefix) => !now.has(prefix)), ...unbound(children, now)];
  });
}

test('every envelope of a whole failback binds its prefixes, sends no nil and speaks one schema version', async () => {
  const { transport, bodies, actions, count } = recording();
  const target = simulator.target({ transport });
  const request = await requestFor(target, 'wire', 'staged');
  // One change takes long enough for a real wait, so that its collector is seen to come and go.
  await simulator.door('POST', '/rules', { method: 'ReconfigVM_Task', where: 'task', delayMs: 400 });
  await target.preflight(
    {
      path: request.path,
      mover: request.mover,
      write: 'staged',
      diskSizesBytes: request.pairs.map((pair) => pair.source.sizeBytes),
    },
    work,
  );
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted({ ...request, otherSideOff: async () => undefined }, work);
  await target.ensureStopped(request, work);
  await target.ensureDisksAbandoned(request, work);
  expect(bodies.length).toBeGreaterThan(50);
  expect(
    bodies.flatMap((body) => unbound(parser.parse(body.replace(/^<\?xml.*?\?>/, '')) as Node[], new Set(['xml']))),
  ).toEqual([]);
  expect(bodies.filter((body) => /\bnil=/.test(body))).toEqual([]);
  expect(
    bodies.filter((body) => body.includes('<ReconfigVM_Task ')).every((body) => body.includes('<changeVersion>')),
  ).toBe(true);
  expect(bodies.filter((body) => body.includes('fileOperation'))).toEqual([]);
  expect([...actions]).toEqual(['"urn:vim25/8.0.1.0"']);
  expect(count('Login')).toBe(1);
  expect(count('CreatePropertyCollector')).toBe(1);
  expect(count('CreatePropertyCollector')).toBe(count('DestroyPropertyCollector'));
  expect(count('CreateContainerView')).toBe(count('DestroyView'));
});

test('a session that vCenter has ended is renewed once, for all calls at the same time', async () => {
  const { transport, count } = recording();
  const target = simulator.target({ transport });
  await target.observeMachine(pathOf('expire'), work);
  await simulator.door('POST', '/sessions/expire');
  const seen = await Promise.all([1, 2, 3, 4].map(() => target.observeMachine(pathOf('expire'), work)));
  expect(seen.map((one) => one.disks.length)).toEqual([2, 2, 2, 2]);
  expect(count('Login')).toBe(2);
});

test('a session that ends before a change is sent, or while its task runs, costs nothing but a new sign-in', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'expire-task');
  await simulator.door('POST', '/rules', { method: 'ReconfigVM_Task', fault: 'NotAuthenticated' });
  await simulator.door('POST', '/rules', { method: 'ReconfigVM_Task', where: 'task', delayMs: 600, count: 2 });
  const opening = target.ensureDisksOpen(request, work);
  const expiry = setInterval(() => void simulator.door('POST', '/sessions/expire'), 450);
  try {
    expect(await opening).toHaveLength(2);
  } finally {
    clearInterval(expiry);
  }
  expect((await simulator.machine('expire-task')).disks).toEqual([]);
  await target.ensureDisksAbandoned(request, work);
});

test('a session that ends between making a view and reading it makes a new view', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'expire');
  // One look at all machines precedes the first change; its first page is the read after the view was made.
  await simulator.door('POST', '/rules', { method: 'CreateContainerView', delayMs: 400 });
  const opening = target.ensureDisksOpen(request, work);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await simulator.door('POST', '/sessions/expire');
  expect(await opening).toHaveLength(2);
  await target.ensureDisksAbandoned(request, work);
});

test('S13 a wrong password is refused by name, is not tried again at once, and appears nowhere', async () => {
  const { transport, count } = recording();
  const target = simulator.target({ transport, password: 'wrong-horse' });
  const [first, second] = await Promise.allSettled([1, 2].map(() => target.observeMachine(pathOf('login'), work)));
  const third = await target.observeMachine(pathOf('login'), work).catch((error: unknown) => error);
  expect([first, second].map((one) => one?.status)).toEqual(['rejected', 'rejected']);
  expect(third).toMatchObject({ kind: 'Refused', op: 'Login' });
  expect(count('Login')).toBe(1);
  const text =
    JSON.stringify(third, Object.getOwnPropertyNames(third)) +
    String((third as Error).stack) +
    String((third as Error).cause);
  expect(text).not.toContain('wrong-horse');
  expect(text).not.toContain(password);
});

test('a pinned certificate is accepted by its thumbprint, and only that one', async () => {
  const thumbprint = new X509Certificate(simulator.certificate).fingerprint256;
  const pinned = simulator.target({ ca: undefined, thumbprint });
  expect((await pinned.observeMachine(pathOf('login'), work)).power).toBe('stopped');
  const other = simulator.target({
    ca: undefined,
    thumbprint: thumbprint.replace(/^../, thumbprint.startsWith('00') ? '11' : '00'),
  });
  await expect(other.observeMachine(pathOf('login'), work)).rejects.toMatchObject({
    kind: 'Refused',
    hint: expect.stringContaining('thumbprint'),
  });
  const trusting = simulator.target({ ca: undefined });
  await expect(trusting.observeMachine(pathOf('login'), work)).rejects.toMatchObject({
    kind: 'Refused',
    hint: expect.stringContaining('caFile'),
  });
});

test('a call that was told to stop ends at once with the caller’s reason', async () => {
  const target = simulator.target();
  await target.observeMachine(pathOf('abort'), work);
  await simulator.door('POST', '/rules', { method: 'FindByInventoryPath', action: 'hang' });
  const stop = new AbortController();
  const looking = target.observeMachine(pathOf('abort'), { ...quietWork(), signal: stop.signal });
  const reason = new Error('cancelled by the story');
  setTimeout(() => stop.abort(reason), 50);
  await expect(looking).rejects.toBe(reason);
});

test('L5 a call that was told to stop before it began signs nobody in: a failure of that would be heard by nobody, and end the worker', async () => {
  const reason = new Error('cancelled by the story');
  const told = { ...quietWork(), signal: AbortSignal.abort(reason) };
  let sent = 0;
  const exchange = (): Promise<never> => Promise.reject(new Error(`exchange ${++sent} fails`));
  const transport = { exchange, close: async () => undefined };
  const session = createSession({ url: 'https://vcenter/sdk', user: 'any', password: () => password, transport });
  await expect(session.content(told)).rejects.toBe(reason);
  await session.close();
  expect(sent).toBe(0);
});

test('a vCenter that does not answer in time is a transient failure', async () => {
  const target = simulator.target({ callTimeoutMs: 300 });
  await target.observeMachine(pathOf('abort'), work);
  await simulator.door('POST', '/rules', { method: 'FindByInventoryPath', action: 'hang' });
  await expect(target.observeMachine(pathOf('abort'), work)).rejects.toMatchObject({ kind: 'Transient' });
});
