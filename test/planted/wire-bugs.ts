/**
 * Bugs planted in what reads over the wire: how much is asked at once, what an answer must be, what of it may be told.
 */
import { bug, type PlantedBug } from './bug.ts';

const flow = 'sites/azure/flow.ts';
const list = 'sites/azure/page-list.ts';
const answers = 'test/azure/answers.test.ts';
const oneContent = 'test/azure/one-content.test.ts';
const slowLink = 'test/azure/slow-link.test.ts';

export const wireBugs: readonly PlantedBug[] = [
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
];
