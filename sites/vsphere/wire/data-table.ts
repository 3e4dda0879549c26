/**
 * The VIM data types we send or read, written by hand from the public API reference: the only place that knows their fields.
 * Rule: fields stand in the schema's order, because vCenter refuses any other; `?` is optional, `[]` is a list.
 * From this table come the WSDL, the encoder, the decoder and the TypeScript types. Never list a field nobody uses:
 * the encoder refuses what is not here, the decoder drops it. Scalars: string, int, long, boolean, dateTime, ref, any.
 */
export interface TypeEntry {
  readonly base: string | null;
  readonly fields: Readonly<Record<string, string>>;
}

const scsi = { base: 'VirtualSCSIController', fields: {} } as const;
const nic = { base: 'VirtualEthernetCard', fields: {} } as const;

export const typesTable = {
  AboutInfo: {
    base: null,
    fields: {
      name: 'string',
      fullName: 'string',
      version: 'string',
      build: 'string?',
      apiType: 'string',
      apiVersion: 'string',
    },
  },
  ServiceContent: {
    base: null,
    fields: {
      rootFolder: 'ref',
      propertyCollector: 'ref',
      viewManager: 'ref?',
      about: 'AboutInfo',
      sessionManager: 'ref?',
      authorizationManager: 'ref?',
      perfManager: 'ref?',
      searchIndex: 'ref?',
      virtualDiskManager: 'ref?',
      guestOperationsManager: 'ref?',
    },
  },
  UserSession: { base: null, fields: { key: 'string', userName: 'string' } },

  // Faults: those whose fields we read. All others decode as a bare MethodFault and keep their name.
  LocalizedMethodFault: { base: null, fields: { fault: 'MethodFault', localizedMessage: 'string?' } },
  MethodFault: { base: null, fields: { faultCause: 'LocalizedMethodFault?' } },
  NoPermission: { base: 'MethodFault', fields: { object: 'ref?', privilegeId: 'string?' } },
  TaskInProgress: { base: 'MethodFault', fields: { task: 'ref' } },
  InvalidPowerState: { base: 'MethodFault', fields: { requestedState: 'string?', existingState: 'string' } },
  FileFault: { base: 'MethodFault', fields: { file: 'string' } },
  FileNotFound: { base: 'FileFault', fields: {} },
  FileAlreadyExists: { base: 'FileFault', fields: {} },
  FileLocked: { base: 'FileFault', fields: {} },
  NoDiskSpace: { base: 'FileFault', fields: { datastore: 'string' } },
  MethodDisabled: { base: 'MethodFault', fields: { source: 'string?' } },

  // Property collector.
  PropertyFilterSpec: {
    base: null,
    fields: { propSet: 'PropertySpec[]', objectSet: 'ObjectSpec[]', reportMissingObjectsInResults: 'boolean?' },
  },
  PropertySpec: { base: null, fields: { type: 'string', all: 'boolean?', pathSet: 'string[]' } },
  ObjectSpec: { base: null, fields: { obj: 'ref', skip: 'boolean?', selectSet: 'SelectionSpec[]' } },
  SelectionSpec: { base: null, fields: { name: 'string?' } },
  TraversalSpec: {
    base: 'SelectionSpec',
    fields: { type: 'string', path: 'string', skip: 'boolean?', selectSet: 'SelectionSpec[]' },
  },
  RetrieveOptions: { base: null, fields: { maxObjects: 'int?' } },
  RetrieveResult: { base: null, fields: { token: 'string?', objects: 'ObjectContent[]' } },
  ObjectContent: {
    base: null,
    fields: { obj: 'ref', propSet: 'DynamicProperty[]', missingSet: 'MissingProperty[]' },
  },
  DynamicProperty: { base: null, fields: { name: 'string', val: 'any' } },
  MissingProperty: { base: null, fields: { path: 'string', fault: 'LocalizedMethodFault' } },
  WaitOptions: { base: null, fields: { maxWaitSeconds: 'int?', maxObjectUpdates: 'int?' } },
  UpdateSet: { base: null, fields: { version: 'string', filterSet: 'PropertyFilterUpdate[]', truncated: 'boolean?' } },
  PropertyFilterUpdate: { base: null, fields: { filter: 'ref', objectSet: 'ObjectUpdate[]' } },
  ObjectUpdate: { base: null, fields: { kind: 'string', obj: 'ref', missingSet: 'MissingProperty[]' } },

  TaskInfo: {
    base: null,
    fields: {
      key: 'string',
      task: 'ref',
      name: 'string?',
      descriptionId: 'string',
      entity: 'ref?',
      entityName: 'string?',
      state: 'string',
      cancelled: 'boolean',
      cancelable: 'boolean',
      error: 'LocalizedMethodFault?',
      progress: 'int?',
    },
  },

  // Virtual machines.
  VirtualMachineConfigSpec: {
    base: null,
    fields: {
      changeVersion: 'string?',
      name: 'string?',
      uuid: 'string?',
      guestId: 'string?',
      files: 'VirtualMachineFileInfo?',
      numCPUs: 'int?',
      memoryMB: 'long?',
      deviceChange: 'VirtualDeviceConfigSpec[]',
      extraConfig: 'OptionValue[]',
      firmware: 'string?',
    },
  },
  VirtualMachineFileInfo: { base: null, fields: { vmPathName: 'string?' } },
  VirtualDeviceConfigSpec: {
    base: null,
    fields: { operation: 'string?', fileOperation: 'string?', device: 'VirtualDevice' },
  },
  OptionValue: { base: null, fields: { key: 'string', value: 'any' } },
  Description: { base: null, fields: { label: 'string', summary: 'string' } },
  VirtualDevice: {
    base: null,
    fields: {
      key: 'int',
      deviceInfo: 'Description?',
      backing: 'VirtualDeviceBackingInfo?',
      connectable: 'VirtualDeviceConnectInfo?',
      controllerKey: 'int?',
      unitNumber: 'int?',
    },
  },
  VirtualDisk: { base: 'VirtualDevice', fields: { capacityInKB: 'long', capacityInBytes: 'long?' } },
  VirtualController: { base: 'VirtualDevice', fields: { busNumber: 'int', device: 'int[]' } },
  VirtualSCSIController: {
    base: 'VirtualController',
    fields: { hotAddRemove: 'boolean?', sharedBus: 'string', scsiCtlrUnitNumber: 'int?' },
  },
  ParaVirtualSCSIController: scsi,
  VirtualLsiLogicController: scsi,
  VirtualLsiLogicSASController: scsi,
  VirtualBusLogicController: scsi,
  VirtualDeviceConnectInfo: {
    base: null,
    fields: { startConnected: 'boolean', allowGuestControl: 'boolean', connected: 'boolean' },
  },
  VirtualEthernetCard: { base: 'VirtualDevice', fields: { addressType: 'string?', macAddress: 'string?' } },
  VirtualVmxnet: nic,
  VirtualVmxnet2: { base: 'VirtualVmxnet', fields: {} },
  VirtualVmxnet3: { base: 'VirtualVmxnet', fields: {} },
  VirtualE1000: nic,
  VirtualE1000e: nic,
  VirtualPCNet32: nic,
  VirtualSriovEthernetCard: nic,
  VirtualDeviceBackingInfo: { base: null, fields: {} },
  VirtualDeviceDeviceBackingInfo: { base: 'VirtualDeviceBackingInfo', fields: { deviceName: 'string' } },
  VirtualEthernetCardNetworkBackingInfo: { base: 'VirtualDeviceDeviceBackingInfo', fields: { network: 'ref?' } },
  VirtualEthernetCardDistributedVirtualPortBackingInfo: {
    base: 'VirtualDeviceBackingInfo',
    fields: { port: 'DistributedVirtualSwitchPortConnection' },
  },
  DistributedVirtualSwitchPortConnection: { base: null, fields: { switchUuid: 'string?', portgroupKey: 'string?' } },
  VirtualDeviceFileBackingInfo: {
    base: 'VirtualDeviceBackingInfo',
    fields: { fileName: 'string', datastore: 'ref?', backingObjectId: 'string?' },
  },
  VirtualDiskFlatVer2BackingInfo: {
    base: 'VirtualDeviceFileBackingInfo',
    fields: {
      diskMode: 'string',
      thinProvisioned: 'boolean?',
      uuid: 'string?',
      parent: 'VirtualDiskFlatVer2BackingInfo?',
      sharing: 'string?',
      keyId: 'CryptoKeyId?',
    },
  },
  VirtualDiskSeSparseBackingInfo: {
    base: 'VirtualDeviceFileBackingInfo',
    fields: { diskMode: 'string', uuid: 'string?', parent: 'VirtualDiskSeSparseBackingInfo?' },
  },
  VirtualDiskRawDiskMappingVer1BackingInfo: {
    base: 'VirtualDeviceFileBackingInfo',
    fields: { compatibilityMode: 'string?', diskMode: 'string?', uuid: 'string?' },
  },
  CryptoKeyId: { base: null, fields: { keyId: 'string' } },
  VirtualMachineSnapshotTree: {
    base: null,
    fields: { snapshot: 'ref', name: 'string', childSnapshotList: 'VirtualMachineSnapshotTree[]' },
  },
  VirtualMachineSnapshotInfo: { base: null, fields: { rootSnapshotList: 'VirtualMachineSnapshotTree[]' } },
  VirtualMachineQuestionInfo: { base: null, fields: { id: 'string', text: 'string' } },

  // Hosts, datastores and rights.
  VirtualMachineUsageOnDatastore: {
    base: null,
    fields: { datastore: 'ref', committed: 'long', uncommitted: 'long' },
  },
  DatastoreHostMount: { base: null, fields: { key: 'ref', mountInfo: 'HostMountInfo' } },
  HostMountInfo: {
    base: null,
    fields: { path: 'string?', accessMode: 'string', mounted: 'boolean?', accessible: 'boolean?' },
  },
  VirtualDiskSpec: { base: null, fields: { diskType: 'string', adapterType: 'string' } },
  FileBackedVirtualDiskSpec: { base: 'VirtualDiskSpec', fields: { capacityKb: 'long' } },

  // Guest operations.
  GuestAuthentication: { base: null, fields: { interactiveSession: 'boolean' } },
  NamePasswordAuthentication: { base: 'GuestAuthentication', fields: { username: 'string', password: 'string' } },
  GuestProgramSpec: {
    base: null,
    fields: { programPath: 'string', arguments: 'string', workingDirectory: 'string?', envVariables: 'string[]' },
  },
  GuestProcessInfo: {
    base: null,
    fields: { name: 'string', pid: 'long', endTime: 'dateTime?', exitCode: 'int?' },
  },
  FileTransferInformation: { base: null, fields: { size: 'long', url: 'string' } },

  // Performance counters.
  ElementDescription: { base: 'Description', fields: { key: 'string' } },
  PerfCounterInfo: {
    base: null,
    fields: {
      key: 'int',
      nameInfo: 'ElementDescription',
      groupInfo: 'ElementDescription',
      unitInfo: 'ElementDescription',
      rollupType: 'string',
    },
  },
  PerfMetricId: { base: null, fields: { counterId: 'int', instance: 'string' } },
  PerfQuerySpec: {
    base: null,
    fields: { entity: 'ref', startTime: 'dateTime?', metricId: 'PerfMetricId[]', intervalId: 'int?' },
  },
  PerfSampleInfo: { base: null, fields: { timestamp: 'dateTime', interval: 'int' } },
  PerfMetricSeries: { base: null, fields: { id: 'PerfMetricId' } },
  PerfMetricIntSeries: { base: 'PerfMetricSeries', fields: { value: 'long[]' } },
  PerfEntityMetricBase: { base: null, fields: { entity: 'ref' } },
  PerfEntityMetric: {
    base: 'PerfEntityMetricBase',
    fields: { sampleInfo: 'PerfSampleInfo[]', value: 'PerfMetricSeries[]' },
  },
  EntityPrivilege: { base: null, fields: { entity: 'ref', privAvailability: 'PrivilegeAvailability[]' } },
  PrivilegeAvailability: { base: null, fields: { privId: 'string', isGranted: 'boolean' } },
} as const satisfies Record<string, TypeEntry>;
