/**
 * The VIM methods we call: arguments in schema order, what they return, and whether a lost answer may simply be asked for again.
 * Rule: `repeat: 'safe'` only for what changes nothing that outlives the call; every change is `never`, its caller looks first.
 * Every method also takes the object it is called on (`_this`), which is not listed.
 */
export interface MethodEntry {
  readonly repeat: 'safe' | 'never';
  /** True: it changes the world, so the attempt is asked whether it is still the one, right before it is sent. */
  readonly changes?: true;
  readonly args: Readonly<Record<string, string>>;
  /** A type of the table, with `?` or `[]`; `void` when nothing comes back. */
  readonly returns: string;
}

export const methodsTable = {
  RetrieveServiceContent: { repeat: 'safe', args: {}, returns: 'ServiceContent' },
  Login: {
    repeat: 'never',
    args: { userName: 'string', password: 'string', locale: 'string?' },
    returns: 'UserSession',
  },
  CurrentTime: { repeat: 'safe', args: {}, returns: 'dateTime' },
  Logout: { repeat: 'never', args: {}, returns: 'void' },

  FindAllByUuid: {
    repeat: 'safe',
    args: { datacenter: 'ref?', uuid: 'string', vmSearch: 'boolean', instanceUuid: 'boolean?' },
    returns: 'ref[]',
  },
  FindByInventoryPath: { repeat: 'safe', args: { inventoryPath: 'string' }, returns: 'ref?' },
  RetrievePropertiesEx: {
    repeat: 'safe',
    args: { specSet: 'PropertyFilterSpec[]', options: 'RetrieveOptions' },
    returns: 'RetrieveResult?',
  },
  // The token belongs to the session that handed it out: a new session must start over.
  ContinueRetrievePropertiesEx: { repeat: 'never', args: { token: 'string' }, returns: 'RetrieveResult' },
  CreateContainerView: {
    repeat: 'safe',
    args: { container: 'ref', type: 'string[]', recursive: 'boolean' },
    returns: 'ref',
  },
  DestroyView: { repeat: 'never', args: {}, returns: 'void' },
  CreatePropertyCollector: { repeat: 'safe', args: {}, returns: 'ref' },
  CreateFilter: { repeat: 'never', args: { spec: 'PropertyFilterSpec', partialUpdates: 'boolean' }, returns: 'ref' },
  WaitForUpdatesEx: {
    repeat: 'never',
    args: { version: 'string?', options: 'WaitOptions?' },
    returns: 'UpdateSet?',
  },
  DestroyPropertyCollector: { repeat: 'never', args: {}, returns: 'void' },

  CreateVM_Task: {
    repeat: 'never',
    changes: true,
    args: { config: 'VirtualMachineConfigSpec', pool: 'ref', host: 'ref?' },
    returns: 'ref',
  },
  Destroy_Task: { repeat: 'never', changes: true, args: {}, returns: 'ref' },
  ReconfigVM_Task: { repeat: 'never', changes: true, args: { spec: 'VirtualMachineConfigSpec' }, returns: 'ref' },
  PowerOnVM_Task: { repeat: 'never', changes: true, args: { host: 'ref?' }, returns: 'ref' },
  PowerOffVM_Task: { repeat: 'never', changes: true, args: {}, returns: 'ref' },
  ShutdownGuest: { repeat: 'never', changes: true, args: {}, returns: 'void' },

  CreateVirtualDisk_Task: {
    repeat: 'never',
    changes: true,
    args: { name: 'string', datacenter: 'ref?', spec: 'VirtualDiskSpec' },
    returns: 'ref',
  },
  DeleteVirtualDisk_Task: {
    repeat: 'never',
    changes: true,
    args: { name: 'string', datacenter: 'ref?' },
    returns: 'ref',
  },
  // Guest operations. Whoever starts a program sees to it that starting it twice does no harm (guest-wrapper.ts).
  StartProgramInGuest: {
    repeat: 'never',
    changes: true,
    args: { vm: 'ref', auth: 'GuestAuthentication', spec: 'GuestProgramSpec' },
    returns: 'long',
  },
  ListProcessesInGuest: {
    repeat: 'safe',
    args: { vm: 'ref', auth: 'GuestAuthentication', pids: 'long[]' },
    returns: 'GuestProcessInfo[]',
  },
  InitiateFileTransferFromGuest: {
    repeat: 'safe',
    args: { vm: 'ref', auth: 'GuestAuthentication', guestFilePath: 'string' },
    returns: 'FileTransferInformation',
  },
  QueryPerf: { repeat: 'safe', args: { querySpec: 'PerfQuerySpec[]' }, returns: 'PerfEntityMetricBase[]' },
  QueryVirtualDiskUuid: { repeat: 'safe', args: { name: 'string', datacenter: 'ref?' }, returns: 'string' },
  HasPrivilegeOnEntities: {
    repeat: 'safe',
    args: { entity: 'ref[]', sessionId: 'string', privId: 'string[]' },
    returns: 'EntityPrivilege[]',
  },
} as const satisfies Record<string, MethodEntry>;
