/**
 * What counts as a clock that is off, and what the journey of an answer explains.
 */
import { clockCheck, skewMs } from '../../model/clock-check.ts';

const askedAt = Date.parse('2026-03-01T12:00:00Z');
const asked = { askedAt, answeredAt: askedAt + 500 };
const at = (ms: number): string => new Date(askedAt + ms).toISOString();

test('a time between question and answer is no difference, one outside is what cannot be explained', () => {
  expect(skewMs({ ...asked, theirs: at(300) })).toBe(0);
  expect(skewMs({ ...asked, theirs: at(2_500) })).toBe(2_000);
  expect(skewMs({ ...asked, theirs: at(-2_000) })).toBe(-2_000);
});

test('an HTTP date, which knows no fraction of a second, agrees', () => {
  expect(clockCheck('azure-clock', 'azure', { ...asked, theirs: new Date(askedAt).toUTCString() }).verdict).toBe(
    'pass',
  );
});

test('a minute off is a warning that says which way', () => {
  expect(clockCheck('c', 's', { ...asked, theirs: at(90_500) })).toMatchObject({
    verdict: 'warn',
    seen: 'its clock is 90 s ahead of ours',
    remedy: expect.stringContaining('NTP'),
  });
  expect(clockCheck('c', 's', { ...asked, theirs: at(-90_000) }).seen).toBe('its clock is 90 s behind ours');
  expect(clockCheck('c', 's', { ...asked, theirs: at(59_000) }).verdict).toBe('pass');
});

test('what is no time at all does not pass', () => {
  expect(clockCheck('c', 's', { ...asked, theirs: 'soon' })).toMatchObject({
    verdict: 'warn',
    seen: expect.stringMatching(/no time/),
  });
});
