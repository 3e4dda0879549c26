/**
 * Resources as ARM shows them: properties nested, as the official SDK reads them.
 */
import { blobHostSuffix } from './grants.ts';
import type { Disk, Machine, Nic, RunCommand, Snapshot } from './resources.ts';
import { completionPercent } from './snapshot-taking.ts';
import type { World } from './world.ts';

const compute = 'Microsoft.Compute';

const deleteOption = (one: Machine, what: string): string => (one.goWithIt.has(what) ? 'Delete' : 'Detach');

export class Shapes {
  private readonly world: World;
  readonly root: string;

  constructor(world: World) {
    this.world = world;
    this.root = `/subscriptions/${world.file.subscriptionId}`;
  }

  id(resourceGroup: string, type: string, name: string): string {
    return `${this.root}/resourceGroups/${resourceGroup}/providers/${type}/${name}`;
  }

  private common(resourceGroup: string, type: string, name: string, tags: Record<string, string>) {
    return { id: this.id(resourceGroup, type, name), name, type, location: this.world.file.location, tags };
  }

  machine(one: Machine, expand: boolean) {
    const at = one.resourceGroup;
    const managed = (name: string) => ({ id: this.id(this.world.groupOfDisk(one, name), `${compute}/disks`, name) });
    return {
      ...this.common(at, `${compute}/virtualMachines`, one.name, one.tags),
      properties: {
        vmId: one.vmId,
        provisioningState: one.deleting ? 'Deleting' : this.world.power.underWay(one) > 0 ? 'Updating' : 'Succeeded',
        hardwareProfile: { vmSize: one.vmSize },
        ...(one.securityType ? { securityProfile: { securityType: one.securityType } } : {}),
        storageProfile: {
          osDisk: {
            name: one.osDisk,
            osType: one.osType,
            createOption: 'Attach',
            caching: 'None',
            ...(one.ephemeral ? { diffDiskSettings: { option: 'Local' } } : { managedDisk: managed(one.osDisk) }),
            writeAcceleratorEnabled: one.accelerated?.has(one.osDisk) ?? false,
            deleteOption: deleteOption(one, `disks/${one.osDisk}`),
          },
          dataDisks: one.dataDisks.map(({ lun, disk }) => ({
            lun,
            name: disk,
            createOption: 'Attach',
            caching: 'None',
            ...(one.unmanaged?.has(disk)
              ? { vhd: { uri: `https://account.blob.core.windows.net/vhds/${disk}.vhd` } }
              : { managedDisk: managed(disk) }),
            writeAcceleratorEnabled: one.accelerated?.has(disk) ?? false,
            deleteOption: deleteOption(one, `disks/${disk}`),
          })),
        },
        networkProfile: {
          networkInterfaces: one.nics.map((nic) => ({
            id: this.id(at, 'Microsoft.Network/networkInterfaces', nic),
            properties: { primary: nic === one.nics[0], deleteOption: deleteOption(one, `nics/${nic}`) },
          })),
        },
        ...(expand ? { instanceView: this.instanceView(one) } : {}),
      },
    };
  }

  instanceView(one: Machine) {
    const { osName, osVersion } = one;
    return {
      ...(one.resting === 'running' ? { vmAgent: this.agent(one), osName, osVersion } : {}),
      statuses: [
        { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded' },
        { code: `PowerState/${one.power}`, level: 'Info', displayStatus: `VM ${one.power}` },
      ],
    };
  }

  runCommand(on: Machine, one: RunCommand, expand: boolean) {
    const id = `${this.id(on.resourceGroup, `${compute}/virtualMachines`, on.name)}/runCommands/${one.name}`;
    const { end, startedAt, endedAt } = one;
    const state = end?.state ?? (startedAt === undefined ? 'Pending' : 'Running');
    return {
      ...{ id, name: one.name, type: `${compute}/virtualMachines/runCommands` },
      ...{ location: this.world.file.location, tags: one.tags },
      properties: {
        source: { script: one.script },
        asyncExecution: one.asynchronous,
        timeoutInSeconds: one.timeoutSeconds,
        provisioningState: one.provisioning,
        ...(expand
          ? {
              instanceView: {
                executionState: one.provisioning === 'Failed' ? 'Unknown' : state,
                ...(end ? { exitCode: end.exitCode, output: end.output, error: end.error } : {}),
                ...(startedAt ? { startTime: startedAt.toISOString() } : {}),
                ...(endedAt ? { endTime: endedAt.toISOString() } : {}),
              },
            }
          : {}),
      },
    };
  }

  /** The agent inside the guest, which reports some time after the boot; without one Azure answers as before its report. */
  private agent(one: Machine) {
    const late = this.world.agentIsLate(one);
    return {
      vmAgentVersion: late ? 'Unknown' : '2.9.1.1',
      statuses: [
        late
          ? { code: 'ProvisioningState/Unavailable', level: 'Warning', displayStatus: 'Not Ready' }
          : { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Ready' },
      ],
    };
  }

  disk(one: Disk) {
    const holder = this.world.holder(one);
    return {
      ...this.common(one.resourceGroup, `${compute}/disks`, one.name, one.tags),
      sku: { name: one.sku },
      ...(holder ? { managedBy: this.id(one.resourceGroup, `${compute}/virtualMachines`, holder.name) } : {}),
      properties: {
        ...(one.osType ? { osType: one.osType } : {}),
        ...(one.hyperVGeneration ? { hyperVGeneration: one.hyperVGeneration } : {}),
        creationData: { ...one.origin, logicalSectorSize: one.sectorBytes },
        diskSizeGB: Math.ceil(one.data.sizeBytes / 1024 ** 3),
        diskSizeBytes: one.data.sizeBytes,
        uniqueId: one.uniqueId,
        timeCreated: one.timeCreated,
        provisioningState: one.state,
        diskState: this.world.diskState(one),
        // With a capital letter, as the official SDK reads it.
        ...(one.ownershipChangedAt ? { LastOwnershipUpdateTime: one.ownershipChangedAt } : {}),
        ...(one.maxShares ? { maxShares: one.maxShares } : {}),
        ...(one.filledPercent === undefined ? {} : { completionPercent: one.filledPercent }),
        ...(one.guestEncrypted ? { encryptionSettingsCollection: { enabled: true } } : {}),
        encryption: one.encryptionSet
          ? { type: 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId: one.encryptionSet }
          : { type: 'EncryptionAtRestWithPlatformKey' },
        networkAccessPolicy: 'AllowAll',
        publicNetworkAccess: 'Enabled',
      },
    };
  }

  snapshot(one: Snapshot) {
    const sizeBytes = one.source.data.snapshotSize(one.uniqueId);
    const active = this.world.grants.liveOn(`snapshot/${one.uniqueId}`) !== undefined;
    return {
      ...this.common(one.resourceGroup, `${compute}/snapshots`, one.name, one.tags),
      sku: { name: one.sku },
      properties: {
        ...(one.source.osType ? { osType: one.source.osType } : {}),
        creationData: {
          createOption: 'Copy',
          sourceResourceId: one.sourceId,
          sourceUniqueId: one.source.uniqueId,
          logicalSectorSize: one.source.sectorBytes,
        },
        diskSizeGB: Math.ceil(sizeBytes / 1024 ** 3),
        diskSizeBytes: sizeBytes,
        timeCreated: one.timeCreated,
        provisioningState: one.state,
        diskState: active ? 'ActiveSAS' : 'Unattached',
        uniqueId: one.uniqueId,
        incremental: true,
        incrementalSnapshotFamilyId: one.source.uniqueId,
        completionPercent: completionPercent(one),
        snapshotAccessState: completionPercent(one) < 100 ? 'Pending' : 'Available',
        networkAccessPolicy: 'AllowAll',
        publicNetworkAccess: 'Enabled',
      },
    };
  }

  nic(one: Nic) {
    const holder = this.world.userOf(one);
    return {
      ...this.common(one.resourceGroup, 'Microsoft.Network/networkInterfaces', one.name, {}),
      properties: {
        provisioningState: 'Succeeded',
        resourceGuid: one.resourceGuid,
        macAddress: one.mac,
        ...(holder
          ? { virtualMachine: { id: this.id(one.resourceGroup, `${compute}/virtualMachines`, holder.name) } }
          : {}),
        ipConfigurations: [
          {
            name: 'ipconfig1',
            properties: {
              privateIPAddress: one.privateIp,
              primary: true,
              subnet: {
                id: this.id(one.resourceGroup, 'Microsoft.Network/virtualNetworks', `lab-net/subnets/${one.subnet}`),
              },
            },
          },
        ],
      },
    };
  }

  /** The cloud's endpoints, as `az cloud register` asks for them. */
  readonly blobHostSuffix = blobHostSuffix;
}
