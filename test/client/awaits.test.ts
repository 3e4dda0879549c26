/** What people read of a run that waits for something by itself. */
import { renderLine } from '../../client/render/line.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const awaits = { for: 'the Azure VM agent to report', since: ago(300), until: ago(-600) };

test('S000-22 a wait says for what, since when and until when, and calls nobody', () => {
  const view = viewOf(statusIn('Preflight', { awaits }));
  const text = renderStatus(view, now, plainStyle).replace(/\s+/g, ' ');
  expect(text).toContain(
    'Waits by itself for the Azure VM agent to report: since 11:55:00 UTC (5 min), until 12:10:00 UTC, 10 min from now. Nobody needs to do anything.',
  );
  expect(text).not.toContain('Waits for:');
  expect(renderLine(view)).toContain(`waits by itself for the Azure VM agent to report, until ${awaits.until}`);
});

test('a run that waits for nothing by itself says nothing of it', () => {
  const view = viewOf(statusIn('Preflight'));
  expect(renderStatus(view, now, plainStyle)).not.toContain('by itself');
  expect(renderLine(view)).not.toContain('by itself');
});
