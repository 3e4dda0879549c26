// Keeps the settings of unregistered VMs, as the .vmx file on a real datastore would.
// One rule: a VM that is registered again from its .vmx has the devices, ids and settings that it had.
// Must never bring back a VM whose files were deleted: the simulator looks for the .vmx itself.
package main

import (
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// settingsShelf maps "[datastore] folder/name.vmx" to what that file would hold.
type settingsShelf struct {
	mu    sync.Mutex
	saved map[string]*types.VirtualMachineConfigInfo
}

// keep is called while the VM leaves the inventory.
func (s *settingsShelf) keep(vm *simulator.VirtualMachine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved == nil {
		s.saved = map[string]*types.VirtualMachineConfigInfo{}
	}
	s.saved[vm.Config.Files.VmPathName] = vm.Config
}

func (s *settingsShelf) take(path string) *types.VirtualMachineConfigInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved[path]
}

func (w *world) prepareRegistration(request *types.RegisterVM_Task) (completion, types.BaseMethodFault) {
	return func() []effect {
		name := request.Name
		for _, row := range w.rows.all() {
			vm := w.machine(row.self)
			if vm == nil || vm.Config.Files.VmPathName != request.Path {
				continue
			}
			name = row.Name
			if saved := w.shelf.take(request.Path); saved != nil {
				w.restore(vm, saved)
			}
		}
		return []effect{{Op: "registerVm", VM: name, File: request.Path}}
	}, nil
}

func (w *world) restore(vm *simulator.VirtualMachine, saved *types.VirtualMachineConfigInfo) {
	ctx := w.context()
	ctx.WithLock(vm, func() {
		saved.Name = vm.Name
		vm.Config = saved
		summary := vm.Summary.Config
		summary.Uuid, summary.InstanceUuid, summary.GuestId = saved.Uuid, saved.InstanceUuid, saved.GuestId
		summary.NumCpu, summary.MemorySizeMB = saved.Hardware.NumCPU, saved.Hardware.MemoryMB
		vm.Summary.Config = summary
		ctx.Update(vm, []types.PropertyChange{
			{Name: "config.hardware.device", Val: saved.Hardware.Device},
			{Name: "config.extraConfig", Val: saved.ExtraConfig},
		})
	})
}
