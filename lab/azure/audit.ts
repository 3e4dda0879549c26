/**
 * The audit log: one line of JSON for each call the simulator answered.
 * Rule: append-only; never a token, a secret or a signature.
 */
import { createWriteStream, type WriteStream } from 'node:fs';

export interface AuditLine {
  readonly operation: string;
  readonly method: string;
  readonly resource: string;
  readonly status: number | 'dropped';
  readonly code?: string | undefined;
  readonly range?: string | undefined;
  readonly requestId?: string | undefined;
}

export class Audit {
  readonly path: string;
  private readonly stream: WriteStream;
  private seq = 0;

  constructor(path: string) {
    this.path = path;
    this.stream = createWriteStream(path, { flags: 'a' });
  }

  /** A call that is answered after the end of the simulator is nobody's any more. */
  write(line: AuditLine): void {
    if (this.stream.writableEnded) return;
    this.stream.write(`${JSON.stringify({ seq: ++this.seq, at: new Date().toISOString(), ...line })}\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.stream.end(resolve));
  }
}
