/**
 * The Azure simulator, a process of its own: Entra, ARM and the disks' blob endpoint over HTTPS, a proxy, a control door.
 * Rule: it stays true to the documented service, so that the official SDK, unmodified, is its client; it listens on loopback
 * only and ends when its stdin closes.
 */
import { readFile } from 'node:fs/promises';
import type { Server as PlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leave } from '../../client/leaving.ts';
import { bootGuest } from '../guest/guest.ts';
import { Arm } from './arm.ts';
import { Audit } from './audit.ts';
import { Blob } from './blob.ts';
import { startControl } from './control.ts';
import { tellWitness } from './effects.ts';
import { Entra } from './entra.ts';
import { Faults } from './faults.ts';
import { blobHostSuffix } from './grants.ts';
import { startProxy } from './proxy.ts';
import { FrontDoor } from './server.ts';
import { World } from './world.ts';
import { worldFile } from './world-file.ts';

const { values } = parseArgs({
  options: {
    world: { type: 'string' },
    dir: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    effects: { type: 'string' },
  },
});
const need = (name: 'world' | 'dir' | 'cert' | 'key'): string => {
  const value = values[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
};

const file = worldFile.parse(JSON.parse(await readFile(need('world'), 'utf8')));
const folder = need('dir');
const secret = (await readFile(file.clientSecretFile, 'utf8')).trim();
const [cert, key] = await Promise.all([readFile(need('cert')), readFile(need('key'))]);

const world = await World.open(file, folder, bootGuest);
const faults = new Faults();
const audit = new Audit(join(folder, 'azure-audit.jsonl'));
const entra = new Entra(file, world.settings, secret);

/** Longer than any client keeps an idle connection, so that none is closed under a request. */
const keepAliveTimeout = 120_000;
const front = createServer({ cert, key, keepAliveTimeout });
const listen = (server: PlainServer | typeof front): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
const base = `https://localhost:${await listen(front)}`;
const arm = new Arm(world, base, tellWitness(values.effects));
const door = new FrontDoor({ world, arm, entra, blob: new Blob(world), faults, audit, base: () => base });
front.on('request', (request, response) => door.handle(request, response));
front.on('connection', (socket) => door.meet(socket));
const proxy = startProxy(front);
const control = startControl({ world, entra, faults, operations: door.operations() });
const [proxyPort, controlPort] = [await listen(proxy), await listen(control)];

let ending = false;
const end = async (): Promise<void> => {
  if (ending) return;
  ending = true;
  front.closeAllConnections();
  await world.close();
  await audit.close();
  await leave(0);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
process.stdin.on('end', () => void end()).resume();

const said = {
  arm: base,
  authority: base,
  blobHostSuffix,
  proxy: `http://127.0.0.1:${proxyPort}`,
  control: `http://127.0.0.1:${controlPort}`,
  audit: audit.path,
};
process.stdout.write(`${JSON.stringify(said)}\n`);
