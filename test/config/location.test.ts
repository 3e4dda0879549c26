/**
 * What may be written of a machine's location, and what people write wrong in it.
 * Rule: every case changes the right inventory in one place; the problems are compared as they are printed.
 */
import { parseInventory } from '../../config/load.ts';
import { failbackInput } from '../../model/failback-input.ts';
import { changed, problemsOf, rightText } from './inventory-text.ts';

const disks = rightText.slice(rightText.indexOf('    disks:'));
const alternate = (create: string, more = ''): string =>
  changed(disks, `    location: alternate\n${more}    create:\n${create.replace(/^/gm, '      ')}\n`);
const right = 'cluster: /DC0/host/C0\ndatastore: ds\nnetwork: VM Network';

const misuses: [string, string, string[]][] = [
  [
    'the word without a place',
    changed(disks, '    location: alternate\n'),
    [
      'h.yaml:30:15 machines.erp-db.location: an alternate location needs create: at least datastore, network, and one of host, cluster and resourcePool',
    ],
  ],
  [
    'a place without the word',
    changed(disks, `    create: { cluster: /DC0/host/C0, datastore: ds, network: VM Network }\n`),
    [
      'h.yaml:30:13 machines.erp-db.create: this machine comes home to its original location; add "location: alternate" to have a new one made, or remove create',
    ],
  ],
  [
    'a word that is no location',
    changed(disks, '    location: elsewhere\n'),
    ['h.yaml:30:15 machines.erp-db.location: expected one of original, alternate'],
  ],
  [
    'no datastore, which is mandatory',
    alternate('cluster: /DC0/host/C0\nnetwork: VM Network'),
    ['h.yaml:31:5 machines.erp-db.create.datastore: is missing (expected text)'],
  ],
  [
    'two places to run on',
    alternate(`${right}\nhost: /DC0/host/C0/esx1`),
    ['h.yaml:32:7 machines.erp-db.create: name exactly one of host, cluster and resourcePool'],
  ],
  [
    'no network',
    alternate('cluster: /DC0/host/C0\ndatastore: ds'),
    ['h.yaml:32:7 machines.erp-db.create: name a network for the NICs: network for all, or networks by Azure subnet'],
  ],
  [
    'disks of a machine whose disks are new',
    alternate(right, disks),
    ['h.yaml:32:7 machines.erp-db.disks: the disks of an alternate location are new; remove disks'],
  ],
  [
    'a misspelt key',
    alternate(`${right}\nfolder: /DC0/vm/back`),
    [expect.stringMatching(/^h\.yaml:35:7 machines\.erp-db\.create\.folder: unknown key/) as unknown as string],
  ],
  [
    'a cluster by its name alone',
    alternate(right.replace('/DC0/host/C0', 'C0')),
    ['h.yaml:32:16 machines.erp-db.create.cluster: write /<datacenter>/host/<cluster>'],
  ],
  [
    'a MAC of a group',
    alternate(`${right}\nmacs: { nic: "01:00:5e:00:00:01" }`),
    [expect.stringMatching(/^h\.yaml:35:\d+ machines\.erp-db\.create\.macs/) as unknown as string],
  ],
  [
    'rules between networks of two sizes',
    alternate(`${right}\nips: { "10.1.0.0/24": "192.168.0.0/16" }`),
    [
      'h.yaml:35:29 machines.erp-db.create.ips.10.1.0.0/24: 10.1.0.0/24 and 192.168.0.0/16 have different sizes; the host part can only be kept between equal ones',
    ],
  ],
  [
    'a place in another datacenter than the site has',
    alternate(right.replace('/DC0/', '/DC1/')),
    [
      'h.yaml:32:16 machines.erp-db.create.cluster: is in datacenter DC1, and site "home" is DC0; define a site for DC1, or correct the path',
    ],
  ],
  [
    'an unknown firmware',
    alternate(`${right}\nfirmware: uefi`),
    ['h.yaml:35:17 machines.erp-db.create.firmware: expected one of bios, efi'],
  ],
];

test.each(misuses)('S000-18 S000-25 %s is told with its key and what to do', (_what, text, problems) => {
  expect(problemsOf(text)).toEqual(problems);
});

test('S000-18 S000-24 an alternate location is chosen by its word, and the original one is what is meant without it', () => {
  const made = failbackInput(parseInventory(alternate(right), 'h.yaml'), 'erp-db');
  expect(made?.create).toEqual({
    ...{ cluster: '/DC0/host/C0', datastore: 'ds', network: 'VM Network', networks: {} },
    ...{ macs: 'new', ips: 'keep', onNameClash: 'refuse', controller: 'pvscsi' },
  });
  expect(failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db')?.create).toBeUndefined();
});
