/**
 * Reads ranges of a leased snapshot straight into the caller's memory.
 * Rule: nothing is returned that was not checked on arrival: status, range, length, checksum, ETag. Safe concurrently.
 * Never answers with fewer bytes than asked, and never with another range's.
 */
import type { PointReader } from '../../disk/point-reader.ts';
import { corrupt, defect, type Failure, transient } from '../../model/failure.ts';
import type { BlobAnswer } from './blob-port.ts';
import type { What } from './call.ts';
import { BodyTooLong } from './http-body.ts';
import { type ChecksumQuestion, largestCheckedBytes, RangeChecksum, type Verdict } from './range-checksum.ts';
import { getFromSnapshot, type OpenSnapshot } from './snapshot-get.ts';

export interface RangeReader {
  /**
   * Fills `into` with the bytes at `offset`. Throws a Failure; after one, `into` holds anything. `wasted` hears of each answer
   * of data that was begun and is of no use, as of all the bytes it was to have: how many of them came nobody counts.
   */
  read: PointReader['read'];
}

/** Of a fixed VHD, which an export may carry behind the disk. */
const footerBytes = 512;

export function createRangeReader(open: OpenSnapshot, sizeBytes: number): RangeReader {
  const checksum = new RangeChecksum();
  const source = { ...open, base: undefined };
  return {
    async read(offset, into, signal, wasted) {
      const subject = `${open.lease.name} [${offset}, ${offset + into.byteLength})`;
      const what = { op: 'read a range', subject };
      if (offset < 0 || offset + into.byteLength > sizeBytes)
        throw defect({ ...what, message: `${subject} lies outside its ${sizeBytes} bytes`, hint: 'Report it.' });
      for (let at = 0; at < into.byteLength; at += largestCheckedBytes) {
        const piece = into.subarray(at, at + largestCheckedBytes);
        const first = offset + at;
        const ask = (question: ChecksumQuestion): Promise<Verdict> => {
          const range = `bytes=${first}-${first + piece.byteLength - 1}`;
          const headers = { 'x-ms-range': range, ...question.headers };
          return getFromSnapshot(source, { what, headers, holdsMemory: true }, signal, async (answer) => {
            let verdict: Verdict = 'wrong';
            try {
              verdict = await take(sizeBytes, question, what, answer, first, piece);
              return verdict;
            } finally {
              if (answer.status === 206 && verdict !== 'right') wasted?.(piece.byteLength);
            }
          });
        };
        // S3: bytes that came without a checksum are not believed while there is another one to ask for.
        while ((await ask(checksum.question())) === 'ask again');
      }
    },
  };
}

async function take(
  sizeBytes: number,
  question: ChecksumQuestion,
  what: What,
  answer: BlobAnswer,
  first: number,
  into: Uint8Array,
): Promise<Verdict> {
  if (answer.status !== 206) throw wrong(what, `status ${answer.status} instead of 206`);
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.header('content-range') ?? '') ?? [];
  if (Number(from) !== first || Number(to) !== first + into.byteLength - 1)
    throw wrong(what, `range ${from ?? '?'}-${to ?? '?'} instead of the one asked for`);
  // A blob that holds more than the disk and its footer is a container, whose offsets are others.
  if (![sizeBytes, sizeBytes + footerBytes].includes(Number(total)))
    throw wrong(what, `a total of ${total} bytes, and the disk has ${sizeBytes}`, exportedOtherwise);
  const length = answer.header('content-length');
  if (length !== undefined && Number(length) !== into.byteLength) throw wrong(what, `${length} bytes announced`);
  await fill(what, answer, into);
  const verdict = await question.judge(answer.header, into);
  if (verdict === 'wrong') throw wrong(what, 'bytes that do not match the service’s own checksum');
  if (verdict === 'missing') throw wrong(what, 'no checksum, which this service gave before');
  return verdict;
}

async function fill(what: What, answer: BlobAnswer, into: Uint8Array): Promise<void> {
  let filled: number;
  try {
    filled = await answer.fill(into);
  } catch (error) {
    throw error instanceof BodyTooLong ? wrong(what, 'more bytes than asked for') : error;
  }
  if (filled === into.byteLength) return;
  throw transient({
    ...what,
    message: `${what.op} of ${what.subject}: the answer ended after ${filled} of ${into.byteLength} bytes`,
    hint: 'The connection broke: Homeward reads it again.',
  });
}

const changedOnTheWay = 'Something between Azure and this mover changes answers: look at the proxy, then retry.';
const exportedOtherwise =
  'Azure exports this disk in a container (VHDX), or it was resized: it cannot be read. A disk with 4096-byte sectors: copy its content to one with 512-byte sectors in Azure, attach that instead; then start a new run.';

const wrong = (what: What, seen: string, hint = changedOnTheWay): Failure =>
  corrupt({ ...what, message: `${what.op} of ${what.subject}: arrived with ${seen}`, hint });
