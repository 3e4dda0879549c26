/**
 * Maps every VIM fault we know to one of our six kinds, with a sentence on what to do.
 * Rule: one literal table; a fault that is not in it is Refused, because repeating what we do not understand helps nobody.
 * Never reads a fault's text to decide, never lets a password through.
 */
import { Failure, type FailureKind, transient } from '../../model/failure.ts';
import { type VimFault, VimFaultError } from './fault.ts';

type Row = readonly [kind: FailureKind, hint: string];

const table: Readonly<Record<string, Row>> = {
  NotAuthenticated: [
    'Expired',
    'The vCenter session ended: Homeward signs in again and looks before it repeats anything.',
  ],
  InvalidLogin: ['Refused', 'Check the user and the password of this vCenter in the inventory.'],
  NoPermission: ['Refused', 'Give the vCenter role the missing privilege, then retry the same step.'],
  ManagedObjectNotFound: [
    'Refused',
    'The object is gone from vCenter: check whether it was removed or registered anew.',
  ],
  TaskInProgress: ['Transient', 'Another operation is running on the machine: Homeward waits for it.'],
  ConcurrentAccess: ['Transient', 'The machine’s configuration changed meanwhile: Homeward reads it again.'],
  InvalidPowerState: ['Refused', 'The machine is in another power state than this step needs.'],
  InvalidState: [
    'Refused',
    'Check the machine for snapshots, pending consolidation and running tasks in the vSphere Client.',
  ],
  FileLocked: ['Transient', 'Another machine or a backup holds the disk: find the holder and detach the disk there.'],
  ResourceInUse: ['Transient', 'The resource is held by someone else: find the holder in the vSphere Client.'],
  MethodDisabled: ['Transient', 'A backup product has switched this operation off: wait for it to end, or stop it.'],
  DisallowedChangeByService: ['Transient', 'Another service protects this machine: release it there.'],
  ToolsUnavailable: ['Refused', 'VMware Tools does not answer in the guest.'],
  GuestOperationsUnavailable: [
    'Transient',
    'VMware Tools in the guest do not take operations yet: Homeward waits for them.',
  ],
  InvalidGuestLogin: [
    'Refused',
    'The guest refuses the login: correct machines.<name>.guest in homeward.yaml or the account in the guest, then retry.',
  ],
  GuestPermissionDenied: ['Refused', 'The account in the guest may not do this: give it the right, then retry.'],
  GuestOperationsFault: ['Refused', 'The guest refused the operation: look at VMware Tools in it.'],
  OperationDisabledByGuest: [
    'Refused',
    'Guest operations are switched off in the guest’s tools.conf: allow them there.',
  ],
  OperationNotSupportedByGuest: ['Refused', 'These VMware Tools cannot do the operation: update them.'],
  QuestionPending: [
    'Refused',
    'The machine waits for an answer: open it in the vSphere Client and answer the question.',
  ],
  DeviceHotPlugNotSupported: [
    'Refused',
    'The mover cannot take a disk while it runs: give it a free SCSI slot on an existing controller.',
  ],
  InvalidDeviceSpec: [
    'Refused',
    'The slot is taken or the disk does not fit it: check the devices in the vSphere Client.',
  ],
  InvalidController: [
    'Refused',
    'The controller does not exist or does not take disks: add a SCSI controller while the machine is off.',
  ],
  GenericVmConfigFault: [
    'Refused',
    'vCenter refused the change of configuration: its text names the reason, often a locked file.',
  ],
  FileNotFound: ['Refused', 'The disk file is not on the datastore: check the datastore and the path.'],
  FileAlreadyExists: ['Refused', 'A file of this name exists already: look whether an earlier run left it.'],
  DuplicateName: ['Refused', 'The name is taken: look whether an earlier run left it.'],
  AlreadyExists: ['Refused', 'The object exists already: look whether an earlier run left it.'],
  NoDiskSpace: ['Refused', 'The datastore is full: make room, then retry the same step.'],
  InvalidDiskFormat: ['Refused', 'The disk has a format this host cannot open.'],
  InvalidDatastore: ['Refused', 'The datastore does not exist or cannot be reached from this host.'],
  InvalidDatastorePath: ['Refused', 'The datastore path is malformed: write it as “[datastore] folder/disk.vmdk”.'],
  InaccessibleDatastore: ['Transient', 'The datastore cannot be reached: check the storage of the host.'],
  FileFault: ['Refused', 'The datastore refused the file operation: check it in the vSphere Client.'],
  HostNotConnected: ['Transient', 'The host has lost vCenter: reconnect it.'],
  HostCommunication: ['Transient', 'vCenter cannot talk to the host: check its management network.'],
  InvalidHostState: ['Refused', 'The host is in maintenance or standby: move the machine or bring the host back.'],
  InsufficientResourcesFault: ['Refused', 'No host has room for the machine: free memory or CPU, then retry.'],
  InsufficientCpuResourcesFault: ['Refused', 'No host has enough CPU for the machine: free some, then retry.'],
  InsufficientMemoryResourcesFault: ['Refused', 'No host has enough memory for the machine: free some, then retry.'],
  InsufficientHostCapacityFault: ['Refused', 'The host has no room for the machine: free some, then retry.'],
  InsufficientFailoverResourcesFault: ['Refused', 'Admission control forbids the start: free capacity in the cluster.'],
  RequestCanceled: ['Transient', 'The task was cancelled in vCenter: Homeward looks what became of it.'],
  RestrictedVersion: [
    'Refused',
    'This hypervisor’s licence forbids changes by API: license it, or bring it under a vCenter.',
  ],
  LicenseExpired: ['Refused', 'The vSphere licence has expired.'],
  Timedout: ['Transient', 'vCenter gave up waiting: Homeward looks what became of it.'],
  HostConnectFault: ['Transient', 'vCenter cannot reach the host: check its management network.'],
  SystemError: ['Transient', 'vCenter reports an internal error: if it stays, read its log.'],
  RuntimeFault: ['Refused', 'vCenter reports an unexpected error: read its log.'],
  InvalidArgument: ['Refused', 'vCenter does not accept a value we sent: report it with this message.'],
  InvalidProperty: ['Refused', 'vCenter does not know a property we asked for: report it with this message.'],
  InvalidRequest: ['Refused', 'vCenter does not understand the request: report it with this message.'],
  MethodNotFound: ['Refused', 'This vCenter does not know the operation: it may be too old.'],
  NotSupported: ['Refused', 'This vCenter or machine does not support the operation.'],
  NotImplemented: ['Refused', 'This server does not implement the operation.'],
};

const unknown: Row = [
  'Refused',
  'vCenter answered with a fault Homeward does not know: read its text and the task in vCenter.',
];

/** The failure for a fault; the fault itself stays readable as its cause. */
export function failureOfFault(fault: VimFault, op: string, subject: string): Failure {
  const [kind, hint] = table[fault.type] ?? unknown;
  const details = [
    fault.privilegeId && `missing privilege ${fault.privilegeId}`,
    fault.file,
    fault.disabledBy && `switched off by ${fault.disabledBy}`,
    fault.text,
  ].filter((part) => part !== undefined && part !== '');
  const message = [`${op} on ${subject} failed with ${fault.type}`, ...details].join('; ');
  return new Failure(kind, { op, subject, message, hint, cause: new VimFaultError(fault) });
}

/** The VIM fault behind a failure, if that is what it was. */
export function faultBehind(error: unknown): VimFault | undefined {
  return error instanceof Failure && error.cause instanceof VimFaultError ? error.cause.fault : undefined;
}

/** What vCenter says of anything that went wrong in it: whatever was asked may have been done by then. */
const anything = 'RuntimeFault';

/** Whether vCenter has answered with a no that is known as one: what was asked was not done, and never will be. */
export function isNo(error: unknown): boolean {
  const { type = anything } = faultBehind(error) ?? {};
  return type !== anything && table[type]?.[0] === 'Refused';
}

/** An answer that broke off or never came: nobody knows whether the call had its effect. */
export const lostAnswer = (op: string, subject: string, seen: string): Failure =>
  transient({
    op,
    subject,
    message: `${op} on ${subject}: ${seen}`,
    hint: 'Check that the vCenter answers; Homeward looks before it repeats anything.',
  });
