/**
 * Bugs planted in what reads over the wire: how much is asked at once, what an answer must be, what of it may be told.
 */
import { bug, type PlantedBug } from './bug.ts';

const flow = 'sites/azure/flow.ts';
const failure = 'sites/azure/failure.ts';
const list = 'sites/azure/page-list.ts';
const answers = 'test/azure/answers.test.ts';
const oneContent = 'test/azure/one-content.test.ts';
const reading = 'test/azure/reading.test.ts';
const slowLink = 'test/azure/slow-link.test.ts';

export const wireBugs: readonly PlantedBug[] = [
  bug(
    'L5',
    'disk/disk-memory.ts',
    'return wait === undefined ? { got: await work(lent) } : { wait };',
    "return 'got' in {} ? { wait } : { got: await work(lent) };",
    'test/disk/silent-source.test.ts',
    'waits for new grants',
  ),
  bug(
    'L5',
    'sites/azure/snapshot-get.ts',
    'if (holdsMemory !== true) return await asked;',
    'if (holdsMemory !== undefined) return await asked;',
    reading,
    'who holds memory',
  ),
  bug(
    'L1',
    'sites/azure/grant.ts',
    'AbortSignal.any([this.#work.signal, late])',
    'AbortSignal.any([this.#work.signal])',
    'test/azure/lease-shelf.test.ts',
    'leaves in progress',
  ),
  bug('L5', 'sites/azure/grant.ts', ' || this.#renewing !== undefined', '', reading, 'who holds memory'),
  bug(
    'L5',
    'sites/azure/snapshot-get.ts',
    'if (request.holdsMemory === true && error instanceof TooSlow) throw new SourceSilent(failure);',
    "if (request.holdsMemory === true && failure.message.includes('silent')) throw new SourceSilent(failure);",
    'test/azure/checked-ranges.test.ts',
    'trickles',
  ),
  bug(
    'L5',
    'sites/azure/undici-transport.ts',
    "throw silences.some((kind) => error instanceof kind) ? new FellSilent('the connection fell silent') : error;",
    'throw error;',
    'test/azure/wire.test.ts',
    'says of a silence',
  ),
  bug(
    'R11',
    'sites/azure/range-reader.ts',
    "if (answer.status === 206 && verdict !== 'right') wasted?.(piece.byteLength);",
    '',
    'test/azure/checked-ranges.test.ts',
    'sent for nothing',
  ),
  bug(
    'S3',
    'sites/azure/range-reader.ts',
    '`, exportedOtherwise);',
    '`);',
    'test/azure/application-points.test.ts',
    'S3 a moment whose blob',
  ),
  bug(
    'L1',
    flow,
    'if (!signal.aborted && this.tooSlow(error, this.since(began))) this.lower(era);',
    '',
    slowLink,
    'goes on within one attempt',
  ),
  bug(
    'L1',
    flow,
    'if (error instanceof TooSlow && !(error instanceof FellSilent)) return true;',
    '',
    slowLink,
    'forty disks share',
  ),
  bug(
    'S9',
    list,
    "else if (name !== 'NextMarker') throw bad(what, 'it holds something that is neither a range nor a marker');",
    "else if (name !== 'NextMarker') continue;",
    answers,
    'an element nobody knows',
  ),
  bug('S9', list, 'if (parts.length > 1', 'if (parts.length > 9', answers, 'beside its text'),
  bug(
    'S9',
    'sites/azure/one-content.ts',
    'if (etag !== this.etag) throw another(what);',
    '',
    oneContent,
    'another content',
  ),
  bug('S9', 'sites/azure/one-content.ts', "{ 'if-match': this.etag }", '{}', oneContent, 'the service itself'),
  bug('S13', failure, '(=|%(?:25)*3D|', '(=|', answers, 'however it is written'),
  bug('S13', failure, 'redact(head)', 'head', answers, 'in place of an error code'),
  bug(
    'S9',
    'sites/azure/point-source.ts',
    "assertBased({ op: 'open a recovery point', subject: point.id }, around, base);",
    '',
    'test/azure/application-points.test.ts',
    'without what the disk holds',
  ),
  bug(
    'S9',
    'activities/transfer.ts',
    'input.around, input.base);',
    'undefined, input.base);',
    'test/activities/transfer.test.ts',
  ),
  bug(
    'L1',
    'sites/azure/range-reader.ts',
    'await question.judge(answer.header, into, signal);',
    'await question.judge(answer.header, into);',
    'test/azure/crc64.test.ts',
    'told to stop',
  ),
  bug(
    'L1',
    'sites/azure/crc64.ts',
    'setTimeout(() => this.giveUp(), mostMs);',
    'setTimeout(() => {}, mostMs);',
    'test/azure/crc64.test.ts',
    'after a while',
  ),
  bug(
    'S3',
    'sites/azure/sector-size.ts',
    'said ?? (mayHaveLarge.includes(sku) ? 4096 : 512)',
    'said ?? (mayHaveLarge.includes(sku) ? 512 : 512)',
    'test/azure/preflight.test.ts',
    'of which Azure says nothing',
  ),
  bug(
    'S3',
    'sites/azure/range-reader.ts',
    'if (![sizeBytes, sizeBytes + footerBytes].includes(Number(total)))',
    'if (Number(total) < sizeBytes)',
    'test/azure/application-points.test.ts',
    'whose blob is longer',
  ),
];
