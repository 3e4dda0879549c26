/**
 * A whole disk, a third of it holes: Homeward with all proofs, with fewer, with none; azcopy, qemu-img and the limits.
 * Rule: all of them read the same bytes from the same server in every round, each to a new file.
 */
import { copyBare, copyByPeer, copyVerified, withMover } from './contestants.ts';
import { gib, mib, thirdHoles } from './layout.ts';
import type { Ready, StepAnswer } from './mover-run.ts';
import {
  type FoundPeer,
  findAzcopy,
  findCurl,
  findDd,
  findQemuImg,
  isThere,
  type Peer,
  runAzcopy,
  runCurl,
  runDd,
  runDdAndBack,
  runQemuImg,
  type Timed,
} from './peers.ts';
import { measured, median, missing, type Result, ratios } from './result.ts';
import type { RowName } from './rows.ts';
import type { SourceDisk, Stage } from './stage.ts';
import { gibOf, interleaved, type Plan, type Suite } from './suite.ts';

const names = ['azcopy', 'qemu-img', 'curl', 'dd', 'dd and back'] as const;
type Name = (typeof names)[number];
type Peers = Readonly<Record<Name, FoundPeer>>;

interface Round {
  readonly verified: StepAnswer;
  readonly unchecked: StepAnswer;
  readonly bare: StepAnswer;
  readonly peers: Partial<Record<Name, Timed>>;
}

async function findPeers(plan: Plan): Promise<Peers> {
  const [azcopy, qemu, curl, dd] = await Promise.all([findAzcopy(plan.say), findQemuImg(), findCurl(), findDd()]);
  const peers = { azcopy, 'qemu-img': qemu, curl, dd, 'dd and back': dd };
  for (const name of names) {
    const peer = peers[name];
    if (isThere(peer)) plan.peer(name.replace(/ .*/, ''), peer.version);
    else plan.say(`MISSING: ${peer.why}`);
  }
  return peers;
}

/** How each peer copies; undefined for one that is missing. */
async function runPeers(stage: Stage, plan: Plan, disk: SourceDisk, peers: Peers): Promise<Round['peers']> {
  const ranges = thirdHoles(disk.sizeBytes);
  const ways: Record<Name, (peer: Peer) => Promise<Timed>> = {
    azcopy: (peer) => copyByPeer(stage, disk, (path) => runAzcopy(peer, stage, disk, path)),
    'qemu-img': (peer) => copyByPeer(stage, disk, (path) => runQemuImg(peer, stage, disk, path, plan.say)),
    curl: (peer) => runCurl(peer, stage, disk, ranges),
    dd: (peer) => copyByPeer(stage, disk, (path) => runDd(peer, disk, path), false),
    'dd and back': (peer) => copyByPeer(stage, disk, (path) => runDdAndBack(peer, disk, path), false),
  };
  const done: Partial<Record<Name, Timed>> = {};
  for (const name of names) {
    const peer = peers[name];
    if (isThere(peer)) done[name] = await ways[name](peer);
  }
  return done;
}

const secondsOf = (rounds: readonly Round[], which: 'verified' | 'unchecked' | 'bare'): number[] =>
  rounds.map((round) => round[which].seconds);

/** Times of those peers in each round, the slowest of them; undefined when one of them is missing. */
function peerSeconds(rounds: readonly Round[], of: readonly Name[]): number[] | undefined {
  const slowest = rounds.map(({ peers }) => Math.max(...of.map((name) => peers[name]?.seconds ?? Number.NaN)));
  return slowest.some(Number.isNaN) ? undefined : slowest;
}

const timesText = (seconds: readonly number[], bytes: number): string =>
  `${median(seconds).toFixed(2)} s, ${Math.round(bytes / mib / median(seconds))} MiB/s`;

function against(
  row: RowName,
  rounds: readonly Round[],
  peers: Peers,
  of: readonly Name[],
  ours: readonly number[],
  bytes: number,
): Result {
  const theirs = peerSeconds(rounds, of);
  if (theirs === undefined) {
    const reasons = of.map((name) => peers[name]).filter((peer) => !isThere(peer));
    return missing(row, reasons.map((peer) => ('why' in peer ? peer.why : '')).join('; '));
  }
  return measured(
    row,
    ratios(theirs, ours),
    `ours ${timesText(ours, bytes)}; ${of.join(' or ')} ${timesText(theirs, bytes)}`,
  );
}

function rowsOf(rounds: readonly Round[], peers: Peers, disk: SourceDisk, start: Ready): Result[] {
  const bytes = disk.dataBytes;
  const [verified, unchecked, bare] = [
    secondsOf(rounds, 'verified'),
    secondsOf(rounds, 'unchecked'),
    secondsOf(rounds, 'bare'),
  ];
  const cpu = (which: 'verified' | 'unchecked'): number[] =>
    rounds.map((round) => round[which].cpuSeconds / gibOf(bytes));
  const startNote = `without the start of the process, which costs ${start.startCpuSeconds.toFixed(2)} s of CPU once`;
  return [
    against('full-copy-vs-azcopy', rounds, peers, ['azcopy'], verified, bytes),
    against('full-copy-vs-qemu-img', rounds, peers, ['qemu-img'], verified, bytes),
    against('full-copy-vs-limit', rounds, peers, ['curl', 'dd'], bare, bytes),
    measured(
      'verified-vs-unverified',
      ratios(bare, verified),
      `verified ${timesText(verified, bytes)}; unverified ${timesText(bare, bytes)}`,
    ),
    against('verified-vs-disk', rounds, peers, ['dd and back'], verified, bytes),
    measured('arrival-checksum-cost', ratios(verified, unchecked), `without it ${timesText(unchecked, bytes)}`),
    measured('cpu-s-per-gib', cpu('unchecked'), startNote),
    measured('cpu-s-per-gib-checked', cpu('verified'), startNote),
  ];
}

export const fullCopy: Suite = {
  rows: [
    'full-copy-vs-azcopy',
    'full-copy-vs-qemu-img',
    'full-copy-vs-limit',
    'verified-vs-unverified',
    'verified-vs-disk',
    'arrival-checksum-cost',
    'cpu-s-per-gib',
    'cpu-s-per-gib-checked',
  ],
  async run(stage, plan) {
    const sizeBytes = plan.quick ? gib / 4 : 4 * gib;
    const peers = await findPeers(plan);
    const disk = await stage.makeSource('full', sizeBytes, thirdHoles(sizeBytes));
    const { rounds, ready } = await withMover(stage, (prover) =>
      withMover(stage, async (carrier) => ({
        ready: prover.ready,
        rounds: await interleaved(plan, 'full copy', async (): Promise<Round> => {
          const verified = await copyVerified(stage, plan, prover, [disk], { checked: true });
          const unchecked = await copyVerified(stage, plan, prover, [disk], {});
          const bare = await copyBare(stage, carrier, disk, {});
          return { verified, unchecked, bare, peers: await runPeers(stage, plan, disk, peers) };
        }),
      })),
    );
    const best = median(secondsOf(rounds, 'verified'));
    const peakMiB = Math.max(...rounds.map(({ verified }) => verified.peakMiB));
    plan.size({ sizeBytes, dataBytes: disk.dataBytes, seconds: best, peakMiB });
    await stage.removeSource(disk);
    return rowsOf(rounds, peers, disk, ready);
  },
};

/** What the proofs cost where the link is the limit. */
export const linkCopy: Suite = {
  rows: ['verified-vs-unverified-1gbit'],
  async run(stage, plan) {
    const sizeBytes = plan.quick ? gib / 8 : 2 * gib;
    const disk = await stage.makeSource('link', sizeBytes, thirdHoles(sizeBytes));
    const rounds = await withMover(stage, (mover) =>
      interleaved(plan, 'behind 1 Gbit/s', async () => ({
        verified: (await copyVerified(stage, plan, mover, [disk], { checked: true, link: true })).seconds,
        bare: (await copyBare(stage, mover, disk, { link: true })).seconds,
      })),
    );
    await stage.removeSource(disk);
    const [verified, bare] = [rounds.map((round) => round.verified), rounds.map((round) => round.bare)];
    const note = `verified ${timesText(verified, disk.dataBytes)}; unverified ${timesText(bare, disk.dataBytes)}`;
    return [measured('verified-vs-unverified-1gbit', ratios(bare, verified), note)];
  },
};
