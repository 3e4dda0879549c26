/** Where a machine comes home to, in the words of the command line. */
import { describeCompletion } from '../../client/render/confirm.ts';
import { locationText } from '../../client/render/location.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { NewMachine } from '../../model/creation.ts';
import { createSection } from '../../model/new-place.ts';
import { now, statusIn, viewOf } from './views.ts';

const style = { ...plainStyle, width: 120 };
const target = { site: 'dr', path: '/DC1/vm/erp-db' };
const creation: NewMachine = {
  ...{ compute: '/DC1/host/C0', datastore: 'dr-ds', firmware: 'efi', cpus: 2, memoryMiB: 8192 },
  ...{ guestId: 'otherLinux64Guest', onNameClash: 'refuse', controller: 'pvscsi' },
  nics: [{ name: 'nic-a', network: 'DR net', ip: { was: '10.1.0.4', becomes: '192.168.7.4' } }],
};
const away = statusIn('Syncing', { target, write: 'created', creation });
const back = statusIn('Syncing');

test('S000-18 the start says in words which location was chosen', () => {
  const create = createSection.parse({ cluster: '/DC1/host/C0', datastore: 'dr-ds', network: 'DR net' });
  expect(locationText({ target, create })).toBe(
    'Location: an alternate one; a new machine is made at dr /DC1/vm/erp-db, on /DC1/host/C0, datastore dr-ds.',
  );
  expect(locationText({ target })).toBe(
    'Location: the original one; the machine at dr /DC1/vm/erp-db is written and started again.',
  );
});

test('S000-18 S001-12 the question before the cutover names the location, the networks and the addresses', () => {
  expect(describeCompletion(viewOf(away), away)).toContain(
    `             to   dr  /DC1/vm/erp-db
  location   alternate: a new machine on /DC1/host/C0, datastore dr-ds
  network    nic-a: DR net, MAC new, planned: 10.1.0.4 becomes 192.168.7.4 (set in the guest by you)
`,
  );
  const original = describeCompletion(viewOf(back), back);
  expect(original).toContain('  location   original: the machine that was there before\n');
  expect(original).not.toContain('network');
});

test('C11 the status shows the place and the plan of the addresses of a new machine only', () => {
  const shown = renderStatus(viewOf(away), now, style);
  expect(shown).toContain('place   alternate: a new machine on /DC1/host/C0, datastore dr-ds');
  expect(shown).toContain(
    'nic     nic-a: DR net, MAC new, planned: 10.1.0.4 becomes 192.168.7.4 (set in the guest by you)',
  );
  expect(renderStatus(viewOf(back), now, style)).not.toMatch(/^ {2}(place|nic) /m);
});
