/** Reading what Azure says without any server: page lists, errors, waiting times, secrets taken out. */
import fc from 'fast-check';
import { answerFailure, answerOf, azureFailure, redact, retryAfter } from '../../sites/azure/failure.ts';
import { parsePageList } from '../../sites/azure/page-list.ts';
import { failureOf } from './azure-lab.ts';

const what = { op: 'get page ranges', subject: 'a-snapshot' };
const list = (inside: string): string => `<?xml version="1.0" encoding="utf-8"?>\n<PageList>${inside}</PageList>`;
const range = (kind: string, start: unknown, end: unknown): string =>
  `<${kind}><Start>${start}</Start><End>${end}</End></${kind}>`;
const kindOf = async (text: string): Promise<string> =>
  (await failureOf(Promise.resolve().then(() => parsePageList(text, what)))).kind;

test('the last byte of every range belongs to it', () => {
  expect(parsePageList(list(range('PageRange', 0, 511)), what).extents).toEqual([
    { offset: 0, length: 512, kind: 'data' },
  ]);
});

test('page and clear ranges that stand interleaved are all read', () => {
  const mixed = [
    range('PageRange', 0, 511),
    range('ClearRange', 512, 1023),
    range('PageRange', 1024, 2047),
    range('ClearRange', 4096, 4607),
  ];
  const { extents, next } = parsePageList(list(`${mixed.join('')}<NextMarker>4608</NextMarker>`), what);
  expect(extents.map(({ offset, length, kind }) => [offset, length, kind])).toEqual([
    [0, 512, 'data'],
    [1024, 1024, 'data'],
    [512, 512, 'zero'],
    [4096, 512, 'zero'],
  ]);
  expect(next).toBe('4608');
});

test('an empty list is empty, with or without a marker element', () => {
  for (const text of [list(''), list('<NextMarker/>'), list('<NextMarker></NextMarker>')])
    expect(parsePageList(text, what)).toEqual({ extents: [], next: '' });
});

test('a list that is cut off anywhere is Transient', async () => {
  const whole = list(`${range('PageRange', 0, 511)}${range('ClearRange', 512, 1023)}<NextMarker/>`);
  for (let length = 45; length < whole.length; length += 7)
    expect(await kindOf(whole.slice(0, length))).toBe('Transient');
});

test.each([
  ['an end before its start', range('PageRange', 1024, 511)],
  ['a range without an end', '<PageRange><Start>0</Start></PageRange>'],
  ['a number with a sign', range('PageRange', '-512', '-1')],
  ['a number too large to be exact', range('PageRange', 0, '9007199254740993')],
  ['half a page', range('ClearRange', 0, 255)],
  ['a text', 'Service busy'],
  ['a text beside a range', `${range('PageRange', 0, 511)}and more`],
  ['a range of another namespace', '<x:PageRange><Start>0</Start><End>511</End></x:PageRange>'],
  ['a range in small letters', '<pagerange><Start>0</Start><End>511</End></pagerange>'],
  ['an element nobody knows', `${range('PageRange', 0, 511)}<Note/>`],
  ['a range with an element nobody knows', '<PageRange><Start>0</Start><End>511</End><Skip>1</Skip></PageRange>'],
  ['a range with two starts', '<PageRange><Start>0</Start><Start>512</Start><End>1023</End></PageRange>'],
  ['a range that is a text', '<PageRange>0-511</PageRange>'],
  ['a start that holds an element', '<PageRange><Start>0<i/></Start><End>511</End></PageRange>'],
  ['a marker that holds an element', '<NextMarker><Value>512</Value></NextMarker>'],
  ['a marker that holds an element beside its text', '<NextMarker>512<i/></NextMarker>'],
  ['two markers', '<NextMarker/><NextMarker>512</NextMarker>'],
])('%s is Corrupt', async (_name, inside) => {
  expect(await kindOf(list(inside))).toBe('Corrupt');
});

test('white space and comments between ranges are nothing', () => {
  const text = list(`\n  <!-- ranges -->\n  ${range('PageRange', 0, 511)}\n  <NextMarker>\n</NextMarker>\n`);
  expect(parsePageList(text, what)).toEqual({ extents: [{ offset: 0, length: 512, kind: 'data' }], next: '' });
});

test('plain ranges, which are not made a tree of, say the same as behind a comment, whatever stands among them', async () => {
  const parts = [
    range('PageRange', 0, 511),
    range('ClearRange', 512, 1023),
    `\n<PageRange>\n <Start> 1024 </Start>\n <End>2047</End>\n</PageRange>`,
    range('PageRange', 4096, 511),
    range('ClearRange', 4096, 4097),
    '<PageRange><End>8703</End><Start>8192</Start></PageRange>',
    '<PageRange><Start>1</Start></ClearRange>',
    '<!-- <PageRange><Start>512</Start><End>1023</End></PageRange> -->',
    '<NextMarker>512</NextMarker>',
    'text',
    '</PageList>',
  ];
  const read = async (text: string) => {
    try {
      return parsePageList(text, what);
    } catch (error) {
      return (error as { kind: string }).kind;
    }
  };
  let plainly = 0;
  const some = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...parts.slice(0, 3)) }, fc.constantFrom(...parts)),
  );
  await fc.assert(
    fc.asyncProperty(some, fc.option(fc.nat(80)), async (inside, cut) => {
      const [plain, behind] = [list(inside.join('')), list(`<!-- -->${inside.join('')}`)];
      const seen = await read(plain.slice(0, plain.length - (cut ?? 0)));
      if (typeof seen === 'object' && seen.extents.length > 1) plainly++;
      expect(seen).toEqual(await read(behind.slice(0, behind.length - (cut ?? 0))));
    }),
    { numRuns: 2_000 },
  );
  expect(plainly).toBeGreaterThan(100);
});

test('another document than a page list is Corrupt', async () => {
  expect(await kindOf('<Error><Code>X</Code></Error>')).toBe('Corrupt');
});

test('an unknown code is Refused, a known one what the table says, a broken connection Transient', () => {
  expect(answerFailure(what, { status: 418, code: 'Teapot', message: '' }).kind).toBe('Refused');
  expect(answerFailure(what, { status: 409, code: 'OperationNotAllowed', message: '' }).kind).toBe('Refused');
  expect(answerFailure(what, { status: 409, code: 'Conflict', message: '' }).kind).toBe('Transient');
  expect(answerFailure(what, { status: 503, code: 'Whatever', message: '' }).kind).toBe('Transient');
  expect(azureFailure(what, Object.assign(new Error('x'), { code: 'ECONNRESET' })).kind).toBe('Transient');
  expect(azureFailure(what, new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } })).kind).toBe(
    'Transient',
  );
  expect(azureFailure(what, 'a string').kind).toBe('Refused');
});

test('the code of a failed operation is read out of the SDK’s sentence', () => {
  expect(answerOf(new Error('The long-running operation has failed. AllocationFailed. No room.'))).toEqual({
    code: 'AllocationFailed',
    message: 'No room.',
  });
});

test('a waiting time is read as seconds, as a date and from Azure’s own header', () => {
  const read = (headers: Record<string, string>) =>
    retryAfter((name) => headers[name], Date.parse('2026-11-23T10:00:00Z'));
  expect(read({ 'retry-after': '7' })).toBe(7_000);
  expect(read({ 'retry-after': 'Mon, 23 Nov 2026 10:00:30 GMT' })).toBe(30_000);
  expect(read({ 'retry-after': 'Mon, 23 Nov 2026 09:00:00 GMT' })).toBe(0);
  expect(read({ 'retry-after': 'soon' })).toBeUndefined();
  expect(read({ 'x-ms-retry-after-ms': '250', 'retry-after': '7' })).toBe(250);
  expect(read({})).toBeUndefined();
});

test('S13 grants, tokens and query strings are taken out of what Azure says', () => {
  const text = redact(
    'see https://md-1.blob.storage.azure.net/c/abcd?sv=1&sig=topsecret and Bearer abc.def or eyJhbGciOi.eyJhdWQiOi.x',
  );
  expect(text).toBe('see https://md-1.blob.storage.azure.net/c/abcd?… and Bearer … or …');
});

test.each([
  ['sig%3Dtopsecret%2B%3D and more', 'sig%3D… and more'],
  [
    'https%3A%2F%2Fmd-1%2Fc%2Fabcd%3Fsv%3D1%26sig%3Dtopsecret%26si%3D2',
    'https%3A%2F%2Fmd-1%2Fc%2Fabcd%3Fsv%3D1%26sig%3D…%26si%3D2',
  ],
  ['twice: %2526sig%253Dtopsecret%2526x', 'twice: %2526sig%253D…%2526x'],
  ['{"u":"x?sv=1\\u0026sig\\u003dtopsecret\\u0026si=2"}', '{"u":"x?sv=1\\u0026sig\\u003d…\\u0026si=2"}'],
  ['SIG%3dtopsecret', 'SIG%3d…'],
  ['client_secret%3Dtopsecret', 'client_secret%3D…'],
  ['Bearer%20topsecret', 'Bearer …'],
  ['token%3DeyJhbGciOi.eyJ0b3BzZWNyZXQ.x', 'token%3D…'],
])('S13 a grant or a token is taken out of %s, however it is written', (text, left) => {
  expect(redact(text)).toBe(left);
});

test('S13 what comes in place of an error code shows no grant', async () => {
  const { message } = answerFailure(what, {
    status: 418,
    code: 'see https://md-1/c?sv=1&sig=topsecret',
    message: 'no',
  });
  expect(message).toBe('get page ranges on a-snapshot: 418 see https://md-1/c?…: no');
});
