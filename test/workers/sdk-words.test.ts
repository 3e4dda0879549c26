/** What the Temporal SDK's core says in a dump of its own types, as people read it in a worker's log and on its start. */
import { ApplicationFailure } from '@temporalio/common';
import { inWords, toldMeta } from '../../workers/sdk-words.ts';

const dump = (inner: string): string => `tonic::transport::Error(Transport, ConnectError(${inner}))`;
const io = (kind: string, message: string): string =>
  dump(`ConnectError("tcp connect error", 127.0.0.1:1, Os { code: 111, kind: ${kind}, message: "${message}" })`);

test.each([
  [io('ConnectionRefused', 'Connection refused'), 'nobody listens there (Connection refused)'],
  [
    dump('ConnectError("dns error", Custom { kind: Uncategorized, error: "failed to lookup address information" })'),
    'its name is not known here (failed to lookup address information)',
  ],
  [dump('Custom { kind: InvalidData, error: InvalidMessage(InvalidContentType) }'), 'what answers there speaks no TLS'],
  [
    dump('Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }'),
    'its certificate is not trusted (UnknownIssuer)',
  ],
  [
    `Failed to call GetSystemInfo: code: 'Unknown error', message: "h2 protocol error: http2 error", source: tonic::transport::Error(Transport, hyper::Error(Http2, Error { kind: GoAway(b"", FRAME_SIZE_ERROR, Library) }))`,
    'Failed to call GetSystemInfo: what answers there is not Temporal (h2 protocol error: http2 error)',
  ],
  [
    `Error when recording heartbeat: Status { code: Unavailable, message: "tcp connect error", source: Some(${io('ConnectionRefused', 'Connection refused')}) }`,
    'Error when recording heartbeat: nobody listens there (Connection refused)',
  ],
  [
    'Status { code: PermissionDenied, message: "Request unauthorized.", metadata: MetadataMap { headers: {} }, source: None }',
    'Request unauthorized. (PermissionDenied)',
  ],
  [io('Strange', 'No route to host'), 'the connection fails (No route to host)'],
  ['No workflows registered, not polling', 'No workflows registered, not polling'],
])('a trouble of the line to Temporal is told in words: %s', (said, words) => {
  expect(inWords(said)).toBe(words);
});

test('an error in a line of the log is told by its kind, what it says and what to do', () => {
  const full = ApplicationFailure.create({
    type: 'Refused',
    message: 'ENOSPC: no space left on device, write (/state/m1/os/journal)',
    details: [{ op: 'journal.append', subject: 'm1/os', hint: 'Free space.' }],
  });
  expect(toldMeta({ error: full, durationMs: 7 })).toEqual({
    durationMs: 7,
    error: 'Refused: ENOSPC: no space left on device, write (/state/m1/os/journal)',
    ...{ op: 'journal.append', subject: 'm1/os', hint: 'Free space.' },
  });
  expect(toldMeta({ error: io('ConnectionRefused', 'Connection refused') }).error).toMatch(/^nobody listens/);
  expect(toldMeta({ taskQueue: 'q' })).toEqual({ taskQueue: 'q' });
});
