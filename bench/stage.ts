/**
 * What the contestants run on: source disks in memory behind one server, target files on a real disk, a login, a mover's
 * inventory. Rule: sources lie on tmpfs and targets do not; where a machine cannot give that, the bench says so and ends.
 * Everything it makes lies in two folders of its own and goes with it.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { TransferInput } from '../activities/transfer.ts';
import { makeCertificates } from '../lab/certificates.ts';
import { type Child, startChild } from '../lab/child.ts';
import type { DiskPoint, OpenDisk } from '../model/machine.ts';
import { programPath } from '../setup/programs.mjs';
import { type GrantDesk, openGrantDesk } from './grant-desk.ts';
import { asLines, lengthOf, type Range } from './layout.ts';
import { fileSystemOf } from './machine.ts';

const run = promisify(execFile);
const memoryFolder = '/dev/shm';
const datastore = 'bench';

export interface SourceDisk {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly dataBytes: number;
}

/** `checked`: the service gives checksums. `link`: behind 1 Gbit/s. */
export interface Reach {
  readonly checked?: boolean;
  readonly link?: boolean;
}

export interface Target {
  readonly open: OpenDisk;
  readonly path: string;
}

export class Stage {
  /** On a real disk: targets, journals, certificates. */
  readonly folder: string;
  readonly caFile: string;
  readonly config: string;
  private readonly sources: string;
  private readonly tool: string;
  private readonly desk: GrantDesk;
  private readonly server: Child;
  private made = 0;

  private constructor(folder: string, sources: string, tool: string, caFile: string, desk: GrantDesk, server: Child) {
    [this.folder, this.sources, this.tool, this.caFile] = [folder, sources, tool, caFile];
    [this.desk, this.server, this.config] = [desk, server, join(folder, 'homeward.yaml')];
  }

  /** `parent`: where the targets' folder is made; default the system's temporary folder. */
  static async open(parent = tmpdir()): Promise<Stage> {
    if ((await fileSystemOf(parent)) === 'tmpfs')
      throw new Error(`${parent} lies in memory; name a folder on a real disk for the targets: --dir <folder>`);
    if (!existsSync(memoryFolder))
      throw new Error(`there is no ${memoryFolder}; without it the sources’ disk would be measured, not the copy`);
    const tool = await programPath('bench');
    const folder = await mkdtemp(join(parent, 'homeward-bench-'));
    const sources = await mkdtemp(join(memoryFolder, 'homeward-bench-'));
    // Gigabytes of memory must not stay behind a run that was interrupted.
    process.once('exit', () => {
      for (const each of [folder, sources]) rmSync(each, { recursive: true, force: true });
    });
    const secretFile = join(folder, 'client-secret');
    await writeFile(secretFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await mkdir(join(folder, 'targets'));
    const certificates = await makeCertificates(folder);
    const desk = await openGrantDesk(certificates, secretFile);
    const { certFile, keyFile, caFile } = certificates;
    const server = await startChild({
      name: 'bench-server',
      program: tool,
      args: ['serve', '-dir', sources, '-cert', certFile, '-key', keyFile],
      logFolder: folder,
      ready: { lineWith: 'ports' },
    });
    const stage = new Stage(folder, sources, tool, caFile, desk, server);
    await stage.writeInventory(secretFile);
    return stage;
  }

  private async writeInventory(secretFile: string): Promise<void> {
    const { subscriptionId, tenantId, clientId } = this.desk.identity;
    const credential = { kind: 'client-secret', tenantId, clientId, secret: { file: secretFile } };
    const { base } = this.desk;
    await writeFile(
      this.config,
      stringify({
        sites: {
          azure: { kind: 'azure', subscriptionId, credential, endpoint: base, authority: base, caFile: this.caFile },
          // Nobody speaks to it: the bench's mover finds its targets on a mounted datastore.
          vcenter: {
            kind: 'vsphere',
            url: 'https://localhost/sdk',
            user: 'nobody',
            password: { file: secretFile },
            datacenter: 'DC0',
          },
        },
        movers: {
          'mover-1': {
            ...{ site: 'vcenter', vm: '/DC0/vm/mover-1', state: join(this.folder, 'state') },
            datastores: { [datastore]: join(this.folder, 'targets') },
          },
        },
      }),
    );
  }

  /** Makes a source disk with random bytes in `ranges`; `named`: what its page list says instead, zeros too. */
  async makeSource(
    name: string,
    sizeBytes: number,
    ranges: readonly Range[],
    seed = 1,
    named: readonly Range[] = ranges,
  ): Promise<SourceDisk> {
    const path = join(this.sources, `${name}.raw`);
    await this.fill(path, sizeBytes, ranges, seed);
    await writeFile(join(this.sources, `${name}.full`), asLines(named));
    return { name, path, sizeBytes, dataBytes: lengthOf(ranges) };
  }

  /** Makes the disk `on` as it is after `changes`; its page list is that of the changes. */
  async makeChanged(name: string, on: SourceDisk, changes: readonly Range[], seed = 2): Promise<SourceDisk> {
    const path = join(this.sources, `${name}.raw`);
    await run('cp', ['--sparse=always', on.path, path]);
    await this.fill(path, on.sizeBytes, changes, seed);
    await writeFile(join(this.sources, `${name}.since`), asLines(changes));
    return { name, path, sizeBytes: on.sizeBytes, dataBytes: on.dataBytes };
  }

  private async fill(path: string, sizeBytes: number, ranges: readonly Range[], seed: number): Promise<void> {
    const child = spawn(this.tool, ['fill', '-file', path, '-size', String(sizeBytes), '-seed', String(seed)], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    child.stdin.end(asLines(ranges));
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`the source disk ${path} could not be made (exit ${String(code)})`);
  }

  /** The server gives its memory back too. */
  async removeSource({ name, path }: SourceDisk): Promise<void> {
    await run('curl', ['--silent', '--cacert', this.caFile, '-X', 'DELETE', this.address({ name })]);
    for (const file of [path, join(this.sources, `${name}.full`), join(this.sources, `${name}.since`)])
      await rm(file, { force: true });
  }

  /** Where any HTTPS client reads the disk. The host is a number, as azcopy takes account and container from the path then. */
  address({ name }: Pick<SourceDisk, 'name'>, { checked = false, link = false }: Reach = {}): string {
    const ports = this.server.said.ports as { full: number; link: number };
    return `https://127.0.0.1:${link ? ports.link : ports.full}/${checked ? 'sums' : 'bare'}/disks/${name}`;
  }

  publish(disk: SourceDisk, family: string, reach: Reach = {}): DiskPoint {
    return this.desk.publish({
      disk: disk.name,
      sizeBytes: disk.sizeBytes,
      address: this.address(disk, reach),
      family,
    });
  }

  /** A new file of holes, as a datastore shows a thin disk; `used`: with a sector of somebody's in its middle. */
  async makeTarget(sizeBytes: number, used = false): Promise<Target> {
    const name = `target-${++this.made}`;
    const path = join(this.folder, 'targets', `${name}-flat.vmdk`);
    const file = await open(path, 'w');
    await file.truncate(sizeBytes);
    if (used) await file.write(randomBytes(512), 0, 512, sizeBytes / 2);
    await file.close();
    const descriptor = `# Disk DescriptorFile\nversion=1\nRW ${sizeBytes / 512} VMFS "${name}-flat.vmdk"\n`;
    await writeFile(join(this.folder, 'targets', `${name}.vmdk`), descriptor);
    const uuid = randomBytes(16).toString('hex');
    return { path, open: { disk: 'os', slot: '0', file: `[${datastore}] ${name}.vmdk`, sizeBytes, uuid } };
  }

  /** What a mover is asked; each target is a machine of its own. */
  transfer({ open: disk }: Target, point: DiskPoint, base?: DiskPoint): TransferInput {
    const machine = disk.uuid.slice(0, 12);
    return { machine, run: 'bench', sourceSite: 'azure', disk, point, urgent: false, ...(base ? { base } : {}) };
  }

  /** Throws when one byte of the copy differs from the source. */
  async mustEqual(source: Pick<SourceDisk, 'path'>, copy: string): Promise<void> {
    await run(this.tool, ['compare', '-source', source.path, '-copy', copy]).catch((error: { stderr?: string }) => {
      throw new Error(`a contestant’s copy is wrong, so none of its figures counts: ${error.stderr ?? String(error)}`);
    });
  }

  /** Removes targets and what the mover kept about them, so that the next contestant meets an empty disk. */
  async clear(): Promise<void> {
    for (const each of ['targets', 'state']) await rm(join(this.folder, each), { recursive: true, force: true });
    await mkdir(join(this.folder, 'targets'));
    // Freed blocks are discarded and dirty pages written now, not in the middle of what is measured next.
    await run('sync', ['-f', this.folder]);
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.desk.close();
    for (const each of [this.folder, this.sources]) await rm(each, { recursive: true, force: true });
  }
}
