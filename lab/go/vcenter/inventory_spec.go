// Turns one VM of the inventory into the specification that CreateVM_Task takes.
// One rule: every disk is attached as an existing file, so that the same checks apply as for any caller.
// Must never choose a controller or unit that the inventory has chosen.
package main

import (
	"fmt"

	"github.com/vmware/govmomi/vim25/types"
)

const (
	// The keys that real vCenter gives: 1000 + bus, 2000 + 16 for each bus + unit, 4000 + number.
	firstControllerKey = int32(1000)
	firstDiskKey       = int32(2000)
	firstNICKey        = int32(4000)
)

func (w *world) specOf(vm inventoryVM) (types.VirtualMachineConfigSpec, error) {
	spec := types.VirtualMachineConfigSpec{
		Name: vm.Name, NumCPUs: max(vm.CPUs, 1), MemoryMB: max(vm.MemoryMiB, 64), Firmware: vm.Firmware, Uuid: vm.UUID,
		GuestId: string(types.VirtualMachineGuestOsIdentifierOtherLinux64Guest),
		Version: "vmx-19",
		Files:   &types.VirtualMachineFileInfo{VmPathName: w.files.datastorePath(vm.Name + "/" + vm.Name + ".vmx")},
	}
	if spec.Firmware == "" {
		spec.Firmware = string(types.GuestOsDescriptorFirmwareTypeBios)
	}
	for key, value := range vm.ExtraConfig {
		spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: value})
	}
	add := func(device types.BaseVirtualDevice) {
		spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{
			Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: device,
		})
	}
	controllers := vm.controllerKinds()
	for bus, kind := range controllers {
		controller, err := newController(kind, int32(bus))
		if err != nil {
			return spec, err
		}
		add(controller)
	}
	for i, disk := range vm.Disks {
		if _, err := w.files.complete(w.files.datastorePath(disk.File), uuidFromHex(disk.UUID), disk.SizeBytes); err != nil {
			return spec, err
		}
		if disk.Controller < 0 || int(disk.Controller) >= len(controllers) {
			return spec, fmt.Errorf("disk %q wants controller %d of %d", disk.File, disk.Controller, len(controllers))
		}
		key := firstDiskKey + 16*disk.Controller + int32(i)
		if disk.Unit != nil {
			key = firstDiskKey + 16*disk.Controller + *disk.Unit
		}
		add(w.existingDisk(disk, key))
	}
	for i, nic := range vm.NICs {
		add(newNIC(nic, firstNICKey+int32(i)))
	}
	return spec, nil
}

// controllerKinds has at least one controller, and one for every number a disk names.
func (vm inventoryVM) controllerKinds() []string {
	kinds := append([]string{}, vm.Controllers...)
	wanted := int32(0)
	for _, disk := range vm.Disks {
		wanted = max(wanted, disk.Controller)
	}
	for len(kinds) <= int(wanted) && len(kinds) < 4 {
		kinds = append(kinds, "pvscsi")
	}
	return kinds
}

func newController(kind string, bus int32) (types.BaseVirtualDevice, error) {
	base := types.VirtualSCSIController{SharedBus: types.VirtualSCSISharingNoSharing}
	base.Key, base.BusNumber, base.ScsiCtlrUnitNumber = firstControllerKey+bus, bus, 7
	switch kind {
	case "pvscsi":
		return &types.ParaVirtualSCSIController{VirtualSCSIController: base}, nil
	case "lsilogic":
		return &types.VirtualLsiLogicController{VirtualSCSIController: base}, nil
	case "lsilogic-sas":
		return &types.VirtualLsiLogicSASController{VirtualSCSIController: base}, nil
	}
	return nil, fmt.Errorf("controller %q is unknown; use pvscsi, lsilogic or lsilogic-sas", kind)
}

func (w *world) existingDisk(disk inventoryDisk, key int32) *types.VirtualDisk {
	thin := true
	device := &types.VirtualDisk{}
	device.Key, device.ControllerKey, device.UnitNumber = key, firstControllerKey+disk.Controller, disk.Unit
	device.Backing = &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: w.files.datastorePath(disk.File)},
		DiskMode:                     string(types.VirtualDiskModePersistent),
		ThinProvisioned:              &thin,
	}
	return device
}

func newNIC(nic inventoryNIC, key int32) types.BaseVirtualDevice {
	device := &types.VirtualVmxnet3{}
	device.Key = key
	device.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: nic.Network},
	}
	device.AddressType = string(types.VirtualEthernetCardMacTypeGenerated)
	if nic.MAC != "" {
		device.MacAddress, device.AddressType = nic.MAC, string(types.VirtualEthernetCardMacTypeManual)
	}
	return device
}
