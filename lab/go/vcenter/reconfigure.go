// What real vCenter checks before it changes a VM's devices, and what the simulator forgets to do afterwards.
// One rule: a spec is refused as a whole, with the index of the device at fault, before any part of it is applied.
// Must never apply a part of a spec when another part of it is wrong.
package main

import (
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// deviceWork collects, over the devices of one spec, what is to be done and told after the simulator has applied it.
type deviceWork struct {
	world   *world
	vm      *simulator.VirtualMachine // nil while the VM is being created
	row     machineRow
	spec    *types.VirtualMachineConfigSpec
	removed map[string]bool
	after   []func() []effect
}

func (w *world) prepareReconfigure(request *types.ReconfigVM_Task) (completion, types.BaseMethodFault) {
	vm := w.machine(request.This)
	row, ok := w.rows.get(request.This)
	if vm == nil || !ok {
		return nil, &types.ManagedObjectNotFound{Obj: request.This}
	}
	spec := &request.Spec
	if spec.ChangeVersion != "" && spec.ChangeVersion != vm.Config.ChangeVersion {
		return nil, &types.ConcurrentAccess{}
	}
	work := &deviceWork{world: w, vm: vm, row: row, spec: spec, removed: map[string]bool{}}
	if fault := work.check(); fault != nil {
		return nil, fault
	}
	return func() []effect {
		effects := work.finish()
		if len(effects) == 0 {
			effects = []effect{{Op: "reconfigure", VM: row.Name}}
		}
		return effects
	}, nil
}

func (w *world) prepareCreate(request *types.CreateVM_Task) (completion, types.BaseMethodFault) {
	spec := &request.Config
	if spec.Files == nil || spec.Files.VmPathName == "" {
		return nil, &types.InvalidVmConfig{Property: "configSpec.files.vmPathName"}
	}
	if _, fault := w.files.local(spec.Files.VmPathName); fault != nil {
		return nil, fault
	}
	for _, row := range w.rows.all() {
		if row.Name == spec.Name && w.standsIn(row.self, request.This) {
			return nil, &types.DuplicateName{Name: spec.Name, Object: row.self}
		}
	}
	giveKeys(spec)
	work := &deviceWork{world: w, row: machineRow{Name: spec.Name, Power: "off"}, spec: spec, removed: map[string]bool{}}
	if fault := work.check(); fault != nil {
		return nil, fault
	}
	return func() []effect {
		return append(work.finish(), effect{Op: "createVm", VM: spec.Name, File: spec.Files.VmPathName})
	}, nil
}

// standsIn tells whether the VM is a child of this folder: names are unique within one folder only.
func (w *world) standsIn(vm, folder types.ManagedObjectReference) bool {
	known := w.machine(vm)
	return known != nil && known.Parent != nil && *known.Parent == folder
}

// giveKeys replaces the keys that a caller made up (negative ones) by those of a real vCenter.
func giveKeys(spec *types.VirtualMachineConfigSpec) {
	given := map[int32]int32{}
	cards := int32(0)
	for _, change := range spec.DeviceChange {
		device := change.GetVirtualDeviceConfigSpec().Device
		switch kind := device.(type) {
		case types.BaseVirtualSCSIController:
			controller := kind.GetVirtualSCSIController()
			if controller.Key < 0 {
				given[controller.Key] = firstControllerKey + controller.BusNumber
				controller.Key, controller.ScsiCtlrUnitNumber = given[controller.Key], 7
			}
		case types.BaseVirtualEthernetCard:
			if card := kind.GetVirtualEthernetCard(); card.Key < 0 {
				card.Key = firstNICKey + cards
			}
			cards++
		}
	}
	for _, change := range spec.DeviceChange {
		if device := change.GetVirtualDeviceConfigSpec().Device; device != nil {
			if key, ok := given[device.GetVirtualDevice().ControllerKey]; ok {
				device.GetVirtualDevice().ControllerKey = key
			}
		}
	}
}

func (d *deviceWork) devices() object.VirtualDeviceList {
	if d.vm == nil {
		return nil
	}
	return d.vm.Config.Hardware.Device
}

func (d *deviceWork) finish() []effect {
	var effects []effect
	for _, f := range d.after {
		effects = append(effects, f()...)
	}
	return effects
}

func invalidDevice(index int, property string) types.BaseMethodFault {
	return &types.InvalidDeviceSpec{
		InvalidVmConfig: types.InvalidVmConfig{Property: "virtualDeviceSpec." + property},
		DeviceIndex:     int32(index),
	}
}

func (d *deviceWork) check() types.BaseMethodFault {
	for i, change := range d.spec.DeviceChange {
		spec := change.GetVirtualDeviceConfigSpec()
		if spec.Device == nil {
			return invalidDevice(i, "device")
		}
		if spec.Operation == types.VirtualDeviceConfigSpecOperationRemove {
			if fault := d.checkRemoval(i, spec); fault != nil {
				return fault
			}
			continue
		}
		var fault types.BaseMethodFault
		switch device := spec.Device.(type) {
		case *types.VirtualDisk:
			fault = d.checkDisk(i, spec, device)
		case types.BaseVirtualEthernetCard:
			fault = d.checkNetwork(i, device.GetVirtualEthernetCard())
		}
		if fault != nil {
			return fault
		}
	}
	return nil
}

// checkRemoval also replaces the device sent by the VM's own, so that a caller need send nothing but its key.
func (d *deviceWork) checkRemoval(index int, spec *types.VirtualDeviceConfigSpec) types.BaseMethodFault {
	own := d.devices().FindByKey(spec.Device.GetVirtualDevice().Key)
	if own == nil {
		return invalidDevice(index, "device.key")
	}
	spec.Device = own
	disk, ok := own.(*types.VirtualDisk)
	if !ok {
		return nil
	}
	if d.row.Snapshots > 0 {
		return snapshotRefusal()
	}
	file := fileOfDisk(disk)
	d.removed[file] = true
	op := "detachDisk"
	if spec.FileOperation == types.VirtualDeviceConfigSpecFileOperationDestroy {
		op = "deleteDisk"
	}
	d.after = append(d.after, func() []effect { return []effect{{Op: op, VM: d.row.Name, File: file}} })
	return nil
}

func snapshotRefusal() types.BaseMethodFault {
	return &types.GenericVmConfigFault{Reason: "The virtual machine has a snapshot: its disks cannot be added, changed or removed"}
}

func (d *deviceWork) checkNetwork(index int, card *types.VirtualEthernetCard) types.BaseMethodFault {
	registry := d.world.registry()
	datacenter := registry.Any("Datacenter").(*simulator.Datacenter)
	switch backing := card.Backing.(type) {
	case *types.VirtualEthernetCardNetworkBackingInfo:
		if registry.FindByName(backing.DeviceName, datacenter.Network) == nil {
			return invalidDevice(index, "device.backing.deviceName")
		}
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		group := types.ManagedObjectReference{Type: "DistributedVirtualPortgroup", Value: backing.Port.PortgroupKey}
		if registry.Get(group) == nil {
			return invalidDevice(index, "device.backing.port.portgroupKey")
		}
	case nil:
		return invalidDevice(index, "device.backing")
	}
	return nil
}
