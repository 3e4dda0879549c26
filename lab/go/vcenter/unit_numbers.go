// Which unit of which controller a disk gets.
// One rule: the controller must exist (or come with the same spec) and the unit must be free; unit 7 of a SCSI bus is the controller's own.
// Must never move a disk that named a free unit itself.
package main

import (
	"github.com/vmware/govmomi/vim25/types"
)

// chooseUnit fills in the unit as vCenter does when the caller names none (or -1).
func (d *deviceWork) chooseUnit(index int, disk *types.VirtualDisk) types.BaseMethodFault {
	controller := d.controller(disk.ControllerKey)
	if controller == nil {
		return &types.InvalidController{
			InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: int32(index)},
			ControllerKey:     disk.ControllerKey,
		}
	}
	_, scsi := controller.(types.BaseVirtualSCSIController)
	limit := int32(30)
	if scsi {
		limit = 16
	}
	if _, paravirtual := controller.(*types.ParaVirtualSCSIController); paravirtual {
		limit = 64
	}
	taken := d.unitsTaken(disk)
	if disk.UnitNumber != nil && *disk.UnitNumber >= 0 {
		unit := *disk.UnitNumber
		if taken[unit] || unit >= limit || (scsi && unit == 7) {
			return invalidDevice(index, "device.unitNumber")
		}
		return nil
	}
	for unit := int32(0); unit < limit; unit++ {
		if !taken[unit] && !(scsi && unit == 7) {
			disk.UnitNumber = &unit
			return nil
		}
	}
	return invalidDevice(index, "device.unitNumber")
}

// controller looks among the VM's devices, then among those that the same spec adds.
func (d *deviceWork) controller(key int32) types.BaseVirtualDevice {
	if device := d.devices().FindByKey(key); device != nil {
		if _, ok := device.(types.BaseVirtualController); ok {
			return device
		}
		return nil
	}
	for _, change := range d.spec.DeviceChange {
		spec := change.GetVirtualDeviceConfigSpec()
		if spec.Operation != types.VirtualDeviceConfigSpecOperationAdd || spec.Device == nil {
			continue
		}
		if _, ok := spec.Device.(types.BaseVirtualController); ok && spec.Device.GetVirtualDevice().Key == key {
			return spec.Device
		}
	}
	return nil
}

func (d *deviceWork) unitsTaken(self *types.VirtualDisk) map[int32]bool {
	taken := map[int32]bool{}
	leaving := map[int32]bool{}
	mark := func(device types.BaseVirtualDevice) {
		base := device.GetVirtualDevice()
		if base.ControllerKey == self.ControllerKey && base.UnitNumber != nil && *base.UnitNumber >= 0 {
			taken[*base.UnitNumber] = true
		}
	}
	for _, change := range d.spec.DeviceChange {
		spec := change.GetVirtualDeviceConfigSpec()
		if spec.Device == nil {
			continue
		}
		if spec.Operation == types.VirtualDeviceConfigSpecOperationRemove {
			leaving[spec.Device.GetVirtualDevice().Key] = true
		} else if disk, ok := spec.Device.(*types.VirtualDisk); ok && disk != self {
			mark(disk)
		}
	}
	for _, device := range d.devices() {
		if _, ok := device.(*types.VirtualDisk); ok && !leaving[device.GetVirtualDevice().Key] {
			mark(device)
		}
	}
	return taken
}
