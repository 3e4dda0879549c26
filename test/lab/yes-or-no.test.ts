/** What counts as an answer at the demo's gates. */
import { yesOrNo } from '../../lab/yes-or-no.ts';

test('an answer that is neither yes nor no is no answer, and is asked again', () => {
  expect(['y', 'Yes', ' y '].map(yesOrNo)).toEqual([true, true, true]);
  expect(['', 'n', 'NO', ' no '].map(yesOrNo)).toEqual([false, false, false, false]);
  expect(['yess', 'ja', 'commit', '1'].map(yesOrNo)).toEqual([undefined, undefined, undefined, undefined]);
});
