// Disks: what is kept, sized, checked and refused.
// One rule: each test begins with its own vCenter and states one fact.
// Must never depend on another test's files.
package main

import (
	"os"
	"strings"
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

const erpDisk = "[lab-ds] erp-db/erp-db.vmdk"

const (
	add    = types.VirtualDeviceConfigSpecOperationAdd
	remove = types.VirtualDeviceConfigSpecOperationRemove
)

func TestABuiltDiskKeepsItsStaleBytesAndHasItsSize(t *testing.T) {
	lab := newLabVcenter(t)
	info, err := os.Stat(lab.flat("erp-db/erp-db"))
	lab.must(err)
	text, _ := os.ReadFile(lab.flat("erp-db/erp-db"))
	if info.Size() != 8388608 || !strings.HasPrefix(string(text), "stale") {
		t.Fatalf("size %d, begins with %q", info.Size(), text[:5])
	}
}

func TestADiskKeepsIdAndSizeWhenItMovesToTheMoverAndBack(t *testing.T) {
	lab := newLabVcenter(t)
	before := lab.row("erp-db").Disks[0]
	lab.must(lab.change("erp-db", remove, keyed(before.Key)))
	if got := lab.lastEffect(); got.Op != "detachDisk" || got.File != erpDisk || got.VM != "erp-db" {
		t.Fatalf("the witness heard %+v", got)
	}
	lab.must(lab.change("mover", add, diskOf(erpDisk, 1001)))
	moved := lab.row("mover").Disks[1]
	if moved.UUID != before.UUID || moved.SizeBytes != before.SizeBytes || moved.ControllerKey != 1001 || moved.Unit != 0 || !strings.HasPrefix(moved.UUID, "6000C29") {
		t.Fatalf("before %+v, on the mover %+v", before, moved)
	}
	lab.must(lab.change("mover", remove, keyed(moved.Key)))
	lab.must(lab.change("erp-db", add, diskOf(erpDisk, 1000)))
	if back := lab.row("erp-db").Disks[1]; back.UUID != before.UUID || back.SizeBytes != before.SizeBytes {
		t.Fatalf("back home: %+v", back)
	}
}

func TestAFileThatARunningVMHoldsIsNotAttachedElsewhere(t *testing.T) {
	lab := newLabVcenter(t)
	refused[types.FileLocked](t, lab.change("erp-db", add, diskOf("[lab-ds] mover/mover.vmdk", 1000)))
	refused[types.GenericVmConfigFault](t, lab.change("mover", add, diskOf(erpDisk, 1001)))
}

func TestAVMWhoseDiskIsOnARunningMoverDoesNotStart(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.power("mover", false))
	lab.must(lab.change("mover", add, diskOf(erpDisk, 1001)))
	lab.must(lab.power("mover", true))
	refused[types.GenericVmConfigFault](t, lab.power("erp-db", true))
}

func TestAVMWithAMissingDiskFileDoesNotStart(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(os.Remove(lab.flat("erp-db/erp-db_1")))
	refused[types.FileNotFound](t, lab.power("erp-db", true))
}

func TestAVMWithoutDisksStarts(t *testing.T) {
	lab := newLabVcenter(t)
	for _, disk := range lab.row("erp-db").Disks {
		lab.must(lab.change("erp-db", remove, keyed(disk.Key)))
	}
	lab.must(lab.power("erp-db", true))
}

func TestADiskMadeByReconfigureHasBothFilesAndLosesBoth(t *testing.T) {
	lab := newLabVcenter(t)
	disk := diskOf("[lab-ds] erp-db/staged.vmdk", 1000)
	unit := int32(5)
	disk.UnitNumber, disk.CapacityInBytes = &unit, 1<<20
	change := &types.VirtualDeviceConfigSpec{Operation: add, FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate, Device: disk}
	lab.must(lab.reconfigure("erp-db", types.VirtualMachineConfigSpec{DeviceChange: []types.BaseVirtualDeviceConfigSpec{change}}))
	made := lab.row("erp-db").Disks[2]
	facts, fault := lab.world.files.look(made.File)
	if info, err := os.Stat(made.Path); fault != nil || err != nil || info.Size() != 1<<20 || facts.uuid != made.UUID {
		t.Fatalf("%+v, %+v, %v", made, facts, err)
	}
	change = &types.VirtualDeviceConfigSpec{Operation: remove, FileOperation: types.VirtualDeviceConfigSpecFileOperationDestroy, Device: keyed(made.Key)}
	lab.must(lab.reconfigure("erp-db", types.VirtualMachineConfigSpec{DeviceChange: []types.BaseVirtualDeviceConfigSpec{change}}))
	if _, err := os.Stat(made.Path); !os.IsNotExist(err) {
		t.Fatalf("the flat file is still there: %v", err)
	}
}

func TestDiskFilesAreMadeExtendedAndDeleted(t *testing.T) {
	lab := newLabVcenter(t)
	manager := object.NewVirtualDiskManager(lab.client.Client)
	center := object.NewDatacenter(lab.client.Client, lab.world.registry().Any("Datacenter").Reference())
	name, flat := "[lab-ds] erp-db/extra.vmdk", lab.flat("erp-db/extra")
	task, err := manager.CreateVirtualDisk(lab.ctx, name, center, &types.FileBackedVirtualDiskSpec{CapacityKb: 1024})
	lab.must(waitFor(lab.ctx, task, err))
	task, err = manager.ExtendVirtualDisk(lab.ctx, name, center, 2048, nil)
	lab.must(waitFor(lab.ctx, task, err))
	if info, err := os.Stat(flat); err != nil || info.Size() != 2048*1024 {
		t.Fatal(info, err)
	}
	uuid, err := manager.QueryVirtualDiskUuid(lab.ctx, name, center)
	if lab.must(err); !strings.HasPrefix(uuid, "60 00 c2 9") {
		t.Fatal(uuid)
	}
	task, err = manager.DeleteVirtualDisk(lab.ctx, name, center)
	lab.must(waitFor(lab.ctx, task, err))
	task, err = manager.DeleteVirtualDisk(lab.ctx, name, center)
	refused[types.FileNotFound](t, waitFor(lab.ctx, task, err))
}

func TestDevicesThatCannotBeAreRefused(t *testing.T) {
	lab := newLabVcenter(t)
	refused[types.InvalidDeviceSpec](t, lab.change("erp-db", remove, keyed(4711)))
	refused[types.FileNotFound](t, lab.change("erp-db", add, diskOf("[lab-ds] nowhere/x.vmdk", 1000)))
	refused[types.InvalidDeviceSpec](t, lab.change("mover", add, diskOf("[lab-ds] mover/mover.vmdk", 1001)))
	lab.must(lab.power("mover", false))
	refused[types.InvalidController](t, lab.change("mover", add, diskOf(erpDisk, 1003)))
}

func TestAnUnknownNetworkIsRefusedAndNothingElseBreaks(t *testing.T) {
	lab := newLabVcenter(t)
	card := &types.VirtualVmxnet3{}
	card.Backing = &types.VirtualEthernetCardNetworkBackingInfo{VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "no such network"}}
	refused[types.InvalidDeviceSpec](t, lab.change("erp-db", add, card))
	lab.must(lab.power("erp-db", true))
}

func TestAVMWithASnapshotKeepsItsDisks(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/snapshot", `{"vm":"erp-db"}`, nil)
	refused[types.GenericVmConfigFault](t, lab.change("erp-db", remove, keyed(2000)))
	lab.ask("DELETE", "/snapshot", `{"vm":"erp-db"}`, nil)
	lab.must(lab.change("erp-db", remove, keyed(2000)))
}

func TestDestroyTakesAttachedDisksAndLeavesDetachedOnes(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.change("erp-db", remove, keyed(2000)))
	task, err := lab.vm("erp-db").Destroy(lab.ctx)
	lab.must(waitFor(lab.ctx, task, err))
	_, kept := os.Stat(lab.flat("erp-db/erp-db"))
	_, gone := os.Stat(lab.flat("erp-db/erp-db_1"))
	if kept != nil || !os.IsNotExist(gone) {
		t.Fatalf("detached: %v, attached: %v", kept, gone)
	}
}

func TestChangedAreasCoverWhatWasWritten(t *testing.T) {
	lab := newLabVcenter(t)
	on := true
	lab.must(lab.reconfigure("erp-db", types.VirtualMachineConfigSpec{ChangeTrackingEnabled: &on}))
	file, err := os.OpenFile(lab.flat("erp-db/erp-db"), os.O_WRONLY, 0)
	lab.must(err)
	_, err = file.WriteAt([]byte("new"), 5<<20)
	lab.must(err)
	lab.must(file.Close())
	request := &types.QueryChangedDiskAreas{This: lab.vm("erp-db").Reference(), DeviceKey: 2000, ChangeId: "*"}
	answer, err := methods.QueryChangedDiskAreas(lab.ctx, lab.client.Client, request)
	lab.must(err)
	found := false
	for _, area := range answer.Returnval.ChangedArea {
		found = found || (area.Start <= 5<<20 && area.Start+area.Length >= 5<<20+3)
	}
	if !found || answer.Returnval.Length != 8388608 {
		t.Fatalf("%+v", answer.Returnval)
	}
	request.ChangeId = "52 00/1"
	_, err = methods.QueryChangedDiskAreas(lab.ctx, lab.client.Client, request)
	refused[types.FileFault](t, err)
}
