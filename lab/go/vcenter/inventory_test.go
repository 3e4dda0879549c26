// VMs that come and go: made by a caller, unregistered, registered again.
// One rule: each test begins with its own vCenter and states one fact.
// Must never depend on another test's files.
package main

import (
	"testing"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

func (l *labVcenter) place() (*object.Folder, *object.ResourcePool) {
	finder := find.NewFinder(l.client.Client)
	center, err := finder.DefaultDatacenter(l.ctx)
	l.must(err)
	folders, err := center.Folders(l.ctx)
	l.must(err)
	finder.SetDatacenter(center)
	pool, err := finder.DefaultResourcePool(l.ctx)
	l.must(err)
	return folders.VmFolder, pool
}

func TestAVMMadeByACallerHasItsDiskOnBothFiles(t *testing.T) {
	lab := newLabVcenter(t)
	folder, pool := lab.place()
	controller := &types.ParaVirtualSCSIController{}
	controller.Key, controller.SharedBus = -10, types.VirtualSCSISharingNoSharing
	disk, unit := diskOf("[lab-ds] new/new.vmdk", -10), int32(0)
	disk.Key, disk.UnitNumber, disk.CapacityInBytes = -11, &unit, 2<<20
	spec := types.VirtualMachineConfigSpec{
		Name: "new", Files: &types.VirtualMachineFileInfo{VmPathName: "[lab-ds]"}, NumCPUs: 1, MemoryMB: 128,
		DeviceChange: []types.BaseVirtualDeviceConfigSpec{
			&types.VirtualDeviceConfigSpec{Operation: add, Device: controller},
			&types.VirtualDeviceConfigSpec{Operation: add, FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate, Device: disk},
		},
	}
	task, err := folder.CreateVM(lab.ctx, spec, pool, nil)
	lab.must(waitFor(lab.ctx, task, err))
	made := lab.row("new").Disks[0]
	if facts, fault := lab.world.files.look(made.File); fault != nil || facts.sizeBytes != 2<<20 || facts.uuid != made.UUID {
		t.Fatalf("%+v %+v %v", made, facts, fault)
	}
	lab.must(lab.power("new", true))
	task, err = folder.CreateVM(lab.ctx, spec, pool, nil)
	refused[types.DuplicateName](t, waitFor(lab.ctx, task, err))
}

func TestARegisteredVMHasTheDevicesItHad(t *testing.T) {
	lab := newLabVcenter(t)
	folder, pool := lab.place()
	before := lab.row("erp-db")
	lab.must(lab.vm("erp-db").Unregister(lab.ctx))
	if got := lab.lastEffect(); got.Op != "unregisterVm" || got.VM != "erp-db" {
		t.Fatalf("the witness heard %+v", got)
	}
	task, err := folder.RegisterVM(lab.ctx, "[lab-ds] erp-db/erp-db.vmx", "erp-db", false, pool, nil)
	lab.must(waitFor(lab.ctx, task, err))
	after := lab.row("erp-db")
	if after.Ref == before.Ref || len(after.Disks) != 2 || after.Disks[0] != before.Disks[0] || after.Firmware != "efi" || after.ExtraConfig["homeward.test"] != "1" {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	lab.must(lab.power("erp-db", true))
}
