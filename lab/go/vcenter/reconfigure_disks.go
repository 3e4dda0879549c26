// The disks of a spec: new ones, existing files that are attached, and disks that grow.
// One rule: size and id of an existing disk come from its own descriptor.
// Must never attach a file that another VM holds while either of the two runs.
package main

import (
	"log"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

func (d *deviceWork) checkDisk(index int, spec *types.VirtualDeviceConfigSpec, disk *types.VirtualDisk) types.BaseMethodFault {
	if d.row.Snapshots > 0 {
		return snapshotRefusal()
	}
	backing, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	if !ok {
		return invalidDevice(index, "device.backing")
	}
	if spec.Operation == types.VirtualDeviceConfigSpecOperationEdit {
		return d.checkEdit(index, disk)
	}
	if spec.FileOperation != "" {
		return d.checkNewDisk(index, disk, backing)
	}
	return d.checkExistingDisk(index, disk, backing)
}

func (d *deviceWork) checkEdit(index int, disk *types.VirtualDisk) types.BaseMethodFault {
	own, ok := d.devices().FindByKey(disk.Key).(*types.VirtualDisk)
	if !ok {
		return invalidDevice(index, "device.key")
	}
	file, before := fileOfDisk(own), own.CapacityInBytes
	// What an edit does not name stays: the simulator would take the backing as it was sent for the whole of it.
	if flat, sent := own.Backing.(*types.VirtualDiskFlatVer2BackingInfo), disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); flat != nil {
		if sent.FileName != flat.FileName {
			return invalidDevice(index, "device.backing.fileName")
		}
		if d.row.Power == "on" && sent.DiskMode != flat.DiskMode {
			return &types.InvalidPowerState{RequestedState: types.VirtualMachinePowerStatePoweredOff, ExistingState: types.VirtualMachinePowerStatePoweredOn}
		}
		whole := *flat
		whole.DiskMode = sent.DiskMode
		disk.Backing = &whole
	}
	d.after = append(d.after, func() []effect {
		now, ok := d.devices().FindByKey(disk.Key).(*types.VirtualDisk)
		if !ok || now.CapacityInBytes == before {
			return nil
		}
		d.world.completeOrLog(file, "", now.CapacityInBytes)
		return []effect{{Op: "extendDisk", VM: d.row.Name, File: file}}
	})
	return nil
}

func (d *deviceWork) checkNewDisk(index int, disk *types.VirtualDisk, backing *types.VirtualDiskFlatVer2BackingInfo) types.BaseMethodFault {
	sizeBytes := disk.CapacityInBytes
	if sizeBytes == 0 {
		sizeBytes = disk.CapacityInKB * 1024
	}
	if sizeBytes <= 0 {
		return invalidDevice(index, "device.capacityInBytes")
	}
	if backing.FileName != "" {
		var path object.DatastorePath
		if !path.FromString(backing.FileName) || path.Datastore != d.world.files.datastore {
			return &types.InvalidDatastorePath{DatastorePath: backing.FileName}
		}
	}
	if fault := d.chooseUnit(index, disk); fault != nil {
		return fault
	}
	if backing.Uuid = uuidFromHex(backing.Uuid); backing.Uuid == "" {
		backing.Uuid = newDiskUUID()
	}
	d.after = append(d.after, func() []effect {
		d.world.completeOrLog(backing.FileName, backing.Uuid, sizeBytes)
		return []effect{{Op: "createDisk", VM: d.row.Name, File: backing.FileName}}
	})
	return nil
}

func (d *deviceWork) checkExistingDisk(index int, disk *types.VirtualDisk, backing *types.VirtualDiskFlatVer2BackingInfo) types.BaseMethodFault {
	facts, fault := d.world.files.look(backing.FileName)
	if fault != nil {
		return fault
	}
	for _, other := range d.row.Disks {
		if other.File == backing.FileName && !d.removed[other.File] {
			return invalidDevice(index, "device.backing.fileName")
		}
	}
	for _, holder := range d.world.rows.holders(backing.FileName, d.row.self) {
		if holder.Power == "on" {
			return fileFault(&types.FileLocked{}, backing.FileName)
		}
		if d.row.Power == "on" {
			return lockRefusal(backing.FileName, holder.Name)
		}
	}
	if fault := d.chooseUnit(index, disk); fault != nil {
		return fault
	}
	if facts.uuid == "" {
		facts.uuid = d.world.completeOrLog(backing.FileName, "", facts.sizeBytes).uuid
	}
	disk.CapacityInBytes, disk.CapacityInKB = facts.sizeBytes, facts.sizeBytes/1024
	backing.Uuid = facts.uuid
	d.after = append(d.after, func() []effect { return []effect{{Op: "attachDisk", VM: d.row.Name, File: backing.FileName}} })
	return nil
}

func (w *world) completeOrLog(file, uuid string, sizeBytes int64) diskFacts {
	facts, err := w.files.complete(file, uuid, sizeBytes)
	if err != nil {
		log.Printf("disk file %s: %v", file, err)
	}
	return facts
}
