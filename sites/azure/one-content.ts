/**
 * That all answers about a snapshot are of one content: the ETag of the first one that was believed must stay.
 * Rule: asked for (If-Match, which Get Blob and Get Page Ranges both document) and looked at in each answer; of two first
 * answers at once the later must agree with the earlier. A service that gives no ETag is read without.
 */
import { corrupt, type Failure } from '../../model/failure.ts';
import type { What } from './call.ts';

export class OneContent {
  private etag: string | undefined;

  /** What a request says, so that another content is not even sent. */
  get condition(): Readonly<Record<string, string>> {
    return this.etag === undefined ? {} : { 'if-match': this.etag };
  }

  /** An answer that was right otherwise: from now on it is its content. Throws Corrupt when it already is another. */
  believe(what: What, etag: string | undefined): void {
    this.etag ??= etag;
    if (etag !== this.etag) throw another(what);
  }
}

const another = (what: What): Failure =>
  corrupt({
    ...what,
    message: `${what.op} of ${what.subject}: arrived with another ETag than before`,
    hint: 'Something between Azure and this mover changes or keeps answers: look at the proxy, then retry.',
  });
