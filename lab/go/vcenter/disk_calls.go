// The calls about disk files alone: create, delete, extend, move, copy, and the id of a disk.
// One rule: after each of them descriptor and flat file agree, and the disk has an id of vSphere's form.
// Must never touch a file that a running VM holds.
package main

import (
	"os"
	"path"
	"path/filepath"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func (w *world) prepareDiskFile(body any) (completion, types.BaseMethodFault) {
	switch request := body.(type) {
	case *types.CreateVirtualDisk_Task:
		return w.prepareDiskCreation(request)
	case *types.DeleteVirtualDisk_Task:
		if _, fault := w.files.look(request.Name); fault != nil {
			return nil, fault
		}
		return w.told(effect{Op: "deleteDisk", File: request.Name}), w.refuseHeld(request.Name)
	case *types.ExtendVirtualDisk_Task:
		return func() []effect {
			w.completeOrLog(request.Name, "", request.NewCapacityKb*1024)
			return []effect{{Op: "extendDisk", File: request.Name}}
		}, w.refuseHeld(request.Name)
	case *types.MoveVirtualDisk_Task:
		return func() []effect {
			w.completeOrLog(request.DestName, "", 0)
			return []effect{{Op: "moveDisk", File: request.DestName}}
		}, w.refuseHeld(request.SourceName)
	case *types.CopyVirtualDisk_Task:
		return func() []effect {
			w.completeOrLog(request.DestName, newDiskUUID(), 0)
			return []effect{{Op: "copyDisk", File: request.DestName}}
		}, w.refuseHeld(request.SourceName)
	}
	return nil, nil
}

func (w *world) prepareDiskCreation(request *types.CreateVirtualDisk_Task) (completion, types.BaseMethodFault) {
	spec, ok := request.Spec.(types.BaseFileBackedVirtualDiskSpec)
	if !ok || spec.GetFileBackedVirtualDiskSpec().CapacityKb <= 0 {
		return nil, &types.InvalidArgument{InvalidProperty: "spec.capacityKb"}
	}
	path, fault := w.files.local(request.Name)
	if fault != nil {
		return nil, fault
	}
	if _, err := os.Stat(flatOf(path)); err == nil {
		// The simulator would empty a flat file that has lost its descriptor.
		return nil, fileFault(&types.FileAlreadyExists{}, request.Name)
	}
	sizeBytes := spec.GetFileBackedVirtualDiskSpec().CapacityKb * 1024
	return func() []effect {
		w.completeOrLog(request.Name, newDiskUUID(), sizeBytes)
		return []effect{{Op: "createDisk", File: request.Name}}
	}, nil
}

func (w *world) refuseHeld(file string) types.BaseMethodFault {
	for _, holder := range w.rows.holders(file, types.ManagedObjectReference{}) {
		if holder.Power == "on" {
			return fileFault(&types.FileLocked{}, file)
		}
	}
	return nil
}

// prepareDestroy keeps what real vCenter keeps: files in the VM's folder that are not the VM's.
// The simulator deletes the folder that the VM's log is in; pointing it at the log file alone leaves the rest to us.
func (w *world) prepareDestroy(ref types.ManagedObjectReference) (completion, types.BaseMethodFault) {
	vm := w.machine(ref)
	row, ok := w.rows.get(ref)
	if vm == nil || !ok || row.Power == "on" {
		return nil, nil // The simulator answers: InvalidPowerState, or nothing to destroy.
	}
	var vmx object.DatastorePath
	vmx.FromString(vm.Config.Files.VmPathName)
	folder, fault := w.files.local(vmx.String())
	if fault != nil {
		return nil, fault
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		folder = filepath.Dir(folder)
	}
	vm.Config.Files.LogDirectory = w.files.datastorePath("vmware.log." + vm.Self.Value + ".gone")
	return func() []effect {
		for _, name := range []string{path.Base(vmx.Path), row.Name + ".nvram", "vmware.log"} {
			_ = os.Remove(filepath.Join(folder, name))
		}
		_ = os.Remove(folder) // Succeeds only when it is empty.
		return []effect{{Op: "destroyVm", VM: row.Name}}
	}, nil
}

// diskDesk stands in for the VirtualDiskManager.
type diskDesk struct {
	*simulator.VirtualDiskManager
	world *world
}

func (d *diskDesk) QueryVirtualDiskUuid(_ *simulator.Context, request *types.QueryVirtualDiskUuid) soap.HasFault {
	facts, fault := d.world.files.look(request.Name)
	if fault != nil {
		return &methods.QueryVirtualDiskUuidBody{Fault_: simulator.Fault("", fault)}
	}
	return &methods.QueryVirtualDiskUuidBody{Res: &types.QueryVirtualDiskUuidResponse{Returnval: hexFromUUID(facts.uuid)}}
}

func (d *diskDesk) SetVirtualDiskUuid(_ *simulator.Context, request *types.SetVirtualDiskUuid) soap.HasFault {
	_, fault := d.world.files.look(request.Name)
	if fault == nil && uuidFromHex(request.Uuid) == "" {
		fault = &types.InvalidArgument{InvalidProperty: "uuid"}
	}
	if fault == nil {
		fault = d.world.refuseHeld(request.Name)
	}
	if fault != nil {
		return &methods.SetVirtualDiskUuidBody{Fault_: simulator.Fault("", fault)}
	}
	d.world.completeOrLog(request.Name, uuidFromHex(request.Uuid), 0)
	return &methods.SetVirtualDiskUuidBody{Res: &types.SetVirtualDiskUuidResponse{}}
}
