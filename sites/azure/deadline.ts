/**
 * Ends a request to Azure that nobody answers, long before anyone's heartbeat is missed.
 * Rule: the time counts for the whole answer, its body too, and each repeat has its own; what ran out is a broken
 * connection like any other (Transient), so the next try looks first.
 */
import { type PipelinePolicy, RestError } from '@azure/core-rest-pipeline';

/** Azure Resource Manager itself gives up after 60 s. */
export const requestMs = 60_000;

/** A pipeline policy that gives each request `ms` milliseconds. */
export const deadline = (ms: number): PipelinePolicy => ({
  name: 'homewardDeadline',
  async sendRequest(request, next) {
    const ours = new AbortController();
    const asked = request.abortSignal;
    const stop = (): void => ours.abort();
    asked?.addEventListener('abort', stop);
    if (asked?.aborted) stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        // The SDK's client stops listening to its own timeout once the headers are there; the signal ends the body too.
        reject(new RestError(`no whole answer within ${ms} ms`, { code: 'ETIMEDOUT' }));
        ours.abort();
      }, ms);
    });
    request.abortSignal = ours.signal;
    try {
      return await Promise.race([next(request), late]);
    } finally {
      clearTimeout(timer);
      asked?.removeEventListener('abort', stop);
      if (asked === undefined) delete request.abortSignal;
      else request.abortSignal = asked;
    }
  },
});
