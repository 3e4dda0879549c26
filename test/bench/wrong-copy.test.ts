/**
 * The bench on real, small disks: the server, the desk, a real mover process and the comparison at the end.
 * Rule: runs in a process of its own, as the bench does; jest would turn its parts into something else.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The bench reads from /dev/shm and writes with O_DIRECT. */
const onLinux = process.platform === 'linux' ? test : test.skip;
const story = join(__dirname, 'small-bench.ts');

onLinux(
  'a verified copy with its delta, a bare copy and a peer’s are compared with the source, and one wrong byte ends the bench',
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', story]);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      rowsNobodyMeasures: [],
      verified: true,
      memory: true,
      bare: true,
      equalPeer: 'taken',
      holesWrittenAsZeros: 'taken',
      wrongByte: 'a contestant’s copy is wrong, so none of its figures counts: the copy differs at byte 5242880',
      wrongHole: 'a contestant’s copy is wrong, so none of its figures counts: the copy differs at byte 4194304',
      tooShort: 'a contestant’s copy is wrong, so none of its figures counts: sizes differ',
    });
  },
  180_000,
);
