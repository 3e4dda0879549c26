/**
 * The last question before a request that changes something leaves for Azure: is the attempt behind it still the one?
 * Rule (S1): it is asked behind everything that may take time, a login above all, and again before each repeat. A changing
 * request that no attempt answers for does not leave at all.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { defect } from '../../model/failure.ts';
import type { Work } from '../source.ts';

/** A request that depends on another world brings its own look there. */
export type Answering = Work & { readonly lastLook?: () => Promise<void> };

const behind = new AsyncLocalStorage<Answering>();

/** Runs `send`, whose requests `work` answers for. The SDK has no place of its own to carry that to its pipeline. */
export const onBehalfOf = <T>(work: Answering, send: () => Promise<T>): Promise<T> => behind.run(work, send);

/** Azure Resource Manager begins nothing that it has answered so; a request that it gave up waiting for it may have begun. */
const isNo = (status: number): boolean => status >= 400 && status < 500 && status !== 408;

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** A pipeline policy; the innermost one. */
export const lastLook: PipelinePolicy = {
  name: 'homewardLastLook',
  async sendRequest(request, next) {
    if (reading.has(request.method)) return next(request);
    const work = behind.getStore();
    if (work === undefined)
      throw defect({
        op: 'send to Azure',
        subject: new URL(request.url).pathname,
        message: `a ${request.method} was about to leave that no attempt answers for`,
        hint: 'This is a fault of Homeward; nothing was sent. Report it.',
      });
    await work.lastLook?.();
    work.mayChange();
    const answer = await next(request);
    if (isNo(answer.status)) work.changedNothing?.();
    return answer;
  },
};
