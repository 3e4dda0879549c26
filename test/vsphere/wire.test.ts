/**
 * Encoder, decoder and WSDL without a server: schema order, bound prefixes, strange answers.
 * Rule: expected XML and values are written out by hand from the API reference, not taken from our own table.
 */
import { createClientAsync } from 'soap';
import { chooseVersion } from '../../sites/vsphere/soap-channel.ts';
import { decodeFault, decodeReturned } from '../../sites/vsphere/wire/decode.ts';
import { encodeCall } from '../../sites/vsphere/wire/encode.ts';
import type { Arguments, MethodName } from '../../sites/vsphere/wire/shapes.ts';
import { writeWsdl } from '../../sites/vsphere/wire/wsdl.ts';

const vm = { type: 'VirtualMachine', value: 'vm-1' };

/** What the package writes for our encoded call, and how it reads an answer given as text. */
async function channel(
  answer: string,
): Promise<{ sent: () => string; call: (method: MethodName, args: object) => Promise<unknown> }> {
  let sent = '';
  const request = (
    _url: string,
    body: string,
    done: (error: unknown, response: unknown, body: string) => void,
  ): void => {
    sent = body;
    done(null, { status: 200, headers: {} }, answer);
  };
  const client = await createClientAsync(writeWsdl('https://vcenter.example/sdk?a=1&b=2'), {
    httpClient: { request } as never,
  });
  return {
    // The package prefixes our elements; the prefix is bound on the method's element, which this line requires.
    sent: () =>
      sent
        .replace(/^.*<soap:Body>|<\/soap:Body>.*$/g, '')
        .replace(' xmlns:vim="urn:vim25"', '')
        .replace(/(<\/?)vim:/g, '$1'),
    async call(method, args) {
      const [parsed] = (await client[`${method}Async`](
        encodeCall(method, vm, args as Readonly<Record<string, unknown>>),
      )) as [unknown];
      return decodeReturned(method, parsed);
    },
  };
}

const envelope = (body: string): string =>
  '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:odd="http://www.w3.org/2001/XMLSchema-instance" ' +
  `xmlns:xsd="http://www.w3.org/2001/XMLSchema"><e:Body>${body}</e:Body></e:Envelope>`;

test('fields given in any order leave in schema order along the type chain, with every prefix bound and nothing nil', async () => {
  const { sent, call } = await channel(
    envelope(
      '<ReconfigVM_TaskResponse xmlns="urn:vim25"><returnval type="Task">task-1</returnval></ReconfigVM_TaskResponse>',
    ),
  );
  const device = {
    capacityInBytes: 8192,
    unitNumber: 3,
    capacityInKB: 8,
    backing: {
      diskMode: 'independent_persistent',
      fileName: '[ds] a&b/x.vmdk',
      $type: 'VirtualDiskFlatVer2BackingInfo',
    },
    controllerKey: 1000,
    key: -101,
    $type: 'VirtualDisk',
  };
  const spec = {
    extraConfig: [{ value: 'a<b', key: 'homeward.run' }],
    deviceChange: [{ device, operation: 'add' }],
    changeVersion: 'v1',
  };
  expect(await call('ReconfigVM_Task', { spec })).toEqual({ type: 'Task', value: 'task-1' });
  expect(sent()).toBe(
    '<ReconfigVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-1</_this><spec><changeVersion>v1</changeVersion>' +
      '<deviceChange><operation>add</operation><device xsi:type="VirtualDisk"><key>-101</key>' +
      '<backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[ds] a&amp;b/x.vmdk</fileName><diskMode>independent_persistent</diskMode></backing>' +
      '<controllerKey>1000</controllerKey><unitNumber>3</unitNumber><capacityInKB>8</capacityInKB><capacityInBytes>8192</capacityInBytes></device></deviceChange>' +
      '<extraConfig><key>homeward.run</key><value xsi:type="xsd:string" xmlns:xsd="http://www.w3.org/2001/XMLSchema">a&lt;b</value></extraConfig>' +
      '</spec></ReconfigVM_Task>',
  );
});

test.each([
  ['an unknown field', { spec: { changeVersion: 'v', memory: 1 } }],
  ['a null', { spec: { changeVersion: null } }],
  ['a missing field', { spec: { deviceChange: [{ operation: 'add' }] } }],
  ['a type that is not in the table', { spec: { deviceChange: [{ device: { $type: 'VirtualFloppy', key: 1 } }] } }],
  [
    'a type of another family',
    { spec: { deviceChange: [{ device: { $type: 'OptionValue', key: 'k', value: 'v' } }] } },
  ],
  ['a number where text belongs', { spec: { changeVersion: 7 } }],
])('%s is found before anything is sent', (_name, args) => {
  expect(() => encodeCall('ReconfigVM_Task', vm, args)).toThrow(expect.objectContaining({ kind: 'Defect' }));
});

test('answers are plain values whatever prefix the server binds, with lists where the table says lists', async () => {
  const device = (name: string, body: string): string => `<VirtualDevice odd:type="${name}">${body}</VirtualDevice>`;
  const disk = device(
    'VirtualDisk',
    '<key>2000</key><backing odd:type="VirtualDiskFlatVer2BackingInfo"><fileName>[ds] a.vmdk</fileName><datastore type="Datastore">ds-1</datastore>' +
      '<diskMode>persistent</diskMode><thinProvisioned>true</thinProvisioned></backing><controllerKey>1000</controllerKey><unitNumber>0</unitNumber>' +
      '<capacityInKB>9007199254740</capacityInKB><capacityInBytes>9007199254740991</capacityInBytes>',
  );
  const body =
    '<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval><objects><obj type="VirtualMachine">vm-1</obj>' +
    `<propSet><name>config.hardware.device</name><val odd:type="ArrayOfVirtualDevice">${disk}${device('VirtualVmxnet3', '<key>4000</key><wakeOnLan>1</wakeOnLan>')}</val></propSet>` +
    `<propSet><name>one</name><val odd:type="ArrayOfVirtualDevice">${device('ParaVirtualSCSIController', '<key>1000</key><busNumber>0</busNumber><device>2000</device><sharedBus>noSharing</sharedBus>')}</val></propSet>` +
    '<propSet><name>none</name><val odd:type="ArrayOfVirtualDevice"/></propSet>' +
    '<propSet><name>power</name><val odd:type="VirtualMachinePowerState">poweredOff</val></propSet>' +
    '<propSet><name>flag</name><val odd:type="xsd:boolean">false</val></propSet>' +
    '<propSet><name>empty</name><val odd:type="xsd:string"></val></propSet>' +
    '<propSet><name>big</name><val odd:type="xsd:long">9007199254740991</val></propSet>' +
    '<propSet><name>host</name><val odd:type="ManagedObjectReference" type="HostSystem">host-1</val></propSet>' +
    '<propSet><name>refs</name><val odd:type="ArrayOfManagedObjectReference"><ManagedObjectReference odd:type="ManagedObjectReference" type="Task">task-7</ManagedObjectReference></val></propSet>' +
    '</objects></returnval></RetrievePropertiesExResponse>';
  const { call } = await channel(envelope(body));
  const result = (await call('RetrievePropertiesEx', {
    specSet: [],
    options: {},
  } satisfies Arguments<'RetrievePropertiesEx'>)) as {
    objects: { obj: object; missingSet: object[]; propSet: { name: string; val: unknown }[] }[];
  };
  expect(result.objects[0]?.obj).toEqual({ type: 'VirtualMachine', value: 'vm-1' });
  expect(result.objects[0]?.missingSet).toEqual([]);
  const values = Object.fromEntries(result.objects[0]?.propSet.map(({ name, val }) => [name, val]) ?? []);
  expect(values).toMatchObject({
    'config.hardware.device': [
      {
        $type: 'VirtualDisk',
        capacityInBytes: 9007199254740991,
        backing: { thinProvisioned: true, datastore: { type: 'Datastore', value: 'ds-1' } },
      },
      { $type: 'VirtualVmxnet3', key: 4000 },
    ],
    one: [{ $type: 'ParaVirtualSCSIController', device: [2000] }],
    none: [],
    power: 'poweredOff',
    flag: false,
    empty: '',
    big: 9007199254740991,
    host: { type: 'HostSystem', value: 'host-1' },
    refs: [{ type: 'Task', value: 'task-7' }],
  });
  expect(values['config.hardware.device']).not.toHaveProperty('1.wakeOnLan');
});

test('a 64-bit number that JavaScript cannot hold is refused instead of rounded', async () => {
  const { call } = await channel(
    envelope(
      '<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval><objects><obj type="X">x</obj><propSet><name>n</name><val odd:type="xsd:long">9007199254740993</val></propSet></objects></returnval></RetrievePropertiesExResponse>',
    ),
  );
  await expect(call('RetrievePropertiesEx', { specSet: [], options: {} })).rejects.toMatchObject({ kind: 'Corrupt' });
});

test('a fault keeps its own name when its type is not in the table', () => {
  expect(
    decodeFault('GenericVmConfigFaultFault', { attributes: { 'xsi:type': 'GenericVmConfigFault' }, reason: 'x' }).$type,
  ).toBe('GenericVmConfigFault');
  expect(decodeFault('InvalidLoginFault', null).$type).toBe('InvalidLogin');
});

test('the schema version spoken is the older of ours and the server’s', () => {
  const list = (version: string): string =>
    `<namespaces version="1.0"><namespace><name>urn:vim25</name><version>${version}</version></namespace></namespaces>`;
  expect([list('7.0.3.2'), list('9.0.0.0'), list('8.0.1.0'), '<html/>'].map(chooseVersion)).toEqual([
    '7.0.3.2',
    '8.0.1.0',
    '8.0.1.0',
    undefined,
  ]);
});
