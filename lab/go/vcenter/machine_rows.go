// A plain copy of what matters about each VM, kept up to date from the simulator's own change notices.
// One rule: it is written only while the simulator holds the VM's lock, and read without it,
// so that looking at one VM can never wait for, or dead-lock with, work on another.
// Must never be the place where a VM is changed.
package main

import (
	"sort"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type diskRow struct {
	Key           int32  `json:"key"`
	File          string `json:"file"`
	Path          string `json:"path"`
	SizeBytes     int64  `json:"sizeBytes"`
	UUID          string `json:"uuid"`
	ControllerKey int32  `json:"controllerKey"`
	Unit          int32  `json:"unit"`
	Mode          string `json:"mode"`
	Redo          string `json:"redo,omitempty"` // Where a running machine's writes go instead of to Path.
}

type nicRow struct {
	Key     int32  `json:"key"`
	Network string `json:"network"`
	MAC     string `json:"mac"`
	// Connected when the VM is powered on; the API's default where a caller says nothing.
	StartConnected bool `json:"startConnected"`
}

type machineRow struct {
	Name        string            `json:"name"`
	Ref         string            `json:"ref"`
	Power       string            `json:"power"`
	Tools       string            `json:"tools"`
	IP          string            `json:"ip"`
	Host        string            `json:"host"`
	Firmware    string            `json:"firmware"`
	Snapshots   int               `json:"snapshots"`
	Disks       []diskRow         `json:"disks"`
	NICs        []nicRow          `json:"nics"`
	ExtraConfig map[string]string `json:"extraConfig"`
	self        types.ManagedObjectReference
}

type machineRows struct {
	mu    sync.Mutex
	rows  map[types.ManagedObjectReference]machineRow
	files diskFiles
	redo  *redoFiles
}

func newMachineRows(files diskFiles) *machineRows {
	return &machineRows{rows: map[types.ManagedObjectReference]machineRow{}, files: files, redo: newRedoFiles()}
}

func (m *machineRows) refresh(vm *mo.VirtualMachine) {
	row := machineRow{
		Name: vm.Name, Ref: vm.Self.Value, self: vm.Self,
		Power: powerWord(vm.Runtime.PowerState),
		Disks: []diskRow{}, NICs: []nicRow{}, ExtraConfig: map[string]string{},
	}
	if vm.Runtime.Host != nil {
		row.Host = vm.Runtime.Host.Value
	}
	if vm.Guest != nil {
		row.Tools, row.IP = vm.Guest.ToolsRunningStatus, vm.Guest.IpAddress
	}
	if vm.Snapshot != nil {
		row.Snapshots = countSnapshots(vm.Snapshot.RootSnapshotList)
	}
	if vm.Config != nil {
		row.Firmware = vm.Config.Firmware
		for _, device := range vm.Config.Hardware.Device {
			m.addDevice(&row, device)
		}
		for _, option := range vm.Config.ExtraConfig {
			if value, ok := option.GetOptionValue().Value.(string); ok {
				row.ExtraConfig[option.GetOptionValue().Key] = value
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[vm.Self] = row
}

func (m *machineRows) addDevice(row *machineRow, device types.BaseVirtualDevice) {
	if disk, ok := device.(*types.VirtualDisk); ok {
		out := diskRow{Key: disk.Key, File: fileOfDisk(disk), SizeBytes: disk.CapacityInBytes, ControllerKey: disk.ControllerKey, Unit: -1}
		if disk.UnitNumber != nil {
			out.Unit = *disk.UnitNumber
		}
		if flat, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
			out.UUID, out.Mode = flat.Uuid, flat.DiskMode
		}
		if path, fault := m.files.local(out.File); fault == nil {
			out.Path = flatOf(path)
		}
		out.Redo = m.redo.of(out.File)
		row.Disks = append(row.Disks, out)
	}
	if card, ok := device.(types.BaseVirtualEthernetCard); ok {
		base := card.GetVirtualEthernetCard()
		out := nicRow{Key: base.Key, MAC: base.MacAddress, StartConnected: base.Connectable == nil || base.Connectable.StartConnected}
		switch backing := base.Backing.(type) {
		case *types.VirtualEthernetCardNetworkBackingInfo:
			out.Network = backing.DeviceName
		case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
			out.Network = backing.Port.PortgroupKey
		}
		row.NICs = append(row.NICs, out)
	}
}

func (m *machineRows) forget(ref types.ManagedObjectReference) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, ref)
}

func (m *machineRows) get(ref types.ManagedObjectReference) (machineRow, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.rows[ref]
	return row, ok
}

func (m *machineRows) named(name string) (machineRow, bool) {
	for _, row := range m.all() {
		if row.Name == name || row.Ref == name {
			return row, true
		}
	}
	return machineRow{}, false
}

func (m *machineRows) all() []machineRow {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]machineRow, 0, len(m.rows))
	for _, row := range m.rows {
		out = append(out, row)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// holders are the VMs, other than self, that have this disk file attached.
func (m *machineRows) holders(file string, self types.ManagedObjectReference) []machineRow {
	var out []machineRow
	for _, row := range m.all() {
		for _, disk := range row.Disks {
			if row.self != self && disk.File == file {
				out = append(out, row)
			}
		}
	}
	return out
}

func powerWord(state types.VirtualMachinePowerState) string {
	switch state {
	case types.VirtualMachinePowerStatePoweredOn:
		return "on"
	case types.VirtualMachinePowerStateSuspended:
		return "suspended"
	}
	return "off"
}

func countSnapshots(tree []types.VirtualMachineSnapshotTree) int {
	count := len(tree)
	for _, node := range tree {
		count += countSnapshots(node.ChildSnapshotList)
	}
	return count
}

func fileOfDisk(disk *types.VirtualDisk) string {
	if backing, ok := disk.Backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
		return backing.GetVirtualDeviceFileBackingInfo().FileName
	}
	return ""
}

// machineChanges feeds the rows; the simulator calls it while it holds the lock of the object that changed.
type machineChanges struct {
	mo.ManagedEntity
	world *world
}

func (c *machineChanges) PutObject(_ *simulator.Context, obj mo.Reference) {
	if vm, ok := obj.(*simulator.VirtualMachine); ok {
		c.world.rows.refresh(&vm.VirtualMachine)
	}
	if task, ok := obj.(*simulator.Task); ok {
		c.world.wrapTask(task)
	}
}

func (c *machineChanges) UpdateObject(_ *simulator.Context, obj mo.Reference, _ []types.PropertyChange) {
	// A VM that was destroyed loses its devices after it has left the inventory.
	if vm, ok := obj.(*mo.VirtualMachine); ok && c.world.machine(vm.Self) != nil {
		c.world.rows.refresh(vm)
	}
}

func (c *machineChanges) RemoveObject(_ *simulator.Context, ref types.ManagedObjectReference) {
	if vm := c.world.machine(ref); vm != nil && vm.Config != nil {
		c.world.shelf.keep(vm)
	}
	c.world.rows.forget(ref)
	c.world.views.forget(ref)
}
