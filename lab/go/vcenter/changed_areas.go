// Changed block tracking and consolidation, which the stock simulator does not have.
// The lab's guests and movers write the flat files from outside, so no write is ever seen here. What is answered instead is every
// range of the file that has blocks on disk: that over-reports, which the API allows, and never misses a write of data.
// (A range punched into a hole after it held data would be missed; nothing in the lab does that.)
// One rule: an answer covers a known, contiguous part of the disk, and the caller must ask again for the rest.
// Must never accept a change id that it has not given out for that disk.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const areasPerAnswer = 2000

// changeCounter counts the snapshots of each disk; a change id is "<disk uuid>/<count>".
type changeCounter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *changeCounter) next(uuid string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[uuid]++
	return fmt.Sprintf("%s/%d", hexFromUUID(uuid), c.counts[uuid])
}

func (c *changeCounter) knows(uuid, id string) bool {
	name, count, ok := strings.Cut(id, "/")
	number, err := strconv.Atoi(count)
	c.mu.Lock()
	defer c.mu.Unlock()
	return ok && err == nil && uuidFromHex(name) == uuid && number >= 1 && number <= c.counts[uuid]
}

// prepareSnapshot stamps the disks, so that the snapshot's copy of them carries the change id of this moment.
func (w *world) prepareSnapshot(ref types.ManagedObjectReference) (completion, types.BaseMethodFault) {
	vm := w.machine(ref)
	if vm == nil {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	if on := vm.Config.ChangeTrackingEnabled; on != nil && *on {
		for _, device := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil)) {
			if backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
				backing.ChangeId = w.changeIDs.next(backing.Uuid)
			}
		}
	}
	return w.told(effect{Op: "createSnapshot", VM: w.subject(ref)}), nil
}

// QueryChangedDiskAreas answers with at most areasPerAnswer areas; Length says how far they reach.
func (v *machineView) QueryChangedDiskAreas(_ *simulator.Context, request *types.QueryChangedDiskAreas) soap.HasFault {
	body := &methods.QueryChangedDiskAreasBody{}
	disk, ok := object.VirtualDeviceList(v.Config.Hardware.Device).FindByKey(request.DeviceKey).(*types.VirtualDisk)
	if !ok {
		body.Fault_ = simulator.Fault("no such disk", &types.InvalidArgument{InvalidProperty: "deviceKey"})
		return body
	}
	if request.StartOffset < 0 || request.StartOffset >= disk.CapacityInBytes {
		body.Fault_ = simulator.Fault("offset outside the disk", &types.InvalidArgument{InvalidProperty: "startOffset"})
		return body
	}
	on := v.Config.ChangeTrackingEnabled
	uuid := ""
	if backing, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
		uuid = backing.Uuid
	}
	if on == nil || !*on || (request.ChangeId != "*" && !v.world.changeIDs.knows(uuid, request.ChangeId)) {
		body.Fault_ = simulator.Fault("change tracking is off, or this change id is not of this disk", fileFault(&types.FileFault{}, fileOfDisk(disk)))
		return body
	}
	info, err := v.world.files.written(fileOfDisk(disk), request.StartOffset, disk.CapacityInBytes)
	if err != nil {
		body.Fault_ = simulator.Fault(err.Error(), fileFault(&types.FileFault{}, fileOfDisk(disk)))
		return body
	}
	body.Res = &types.QueryChangedDiskAreasResponse{Returnval: *info}
	return body
}

// written lists the ranges of a flat file that have blocks, from start on.
func (d diskFiles) written(name string, start, end int64) (*types.DiskChangeInfo, error) {
	path, fault := d.local(name)
	if fault != nil {
		return nil, fmt.Errorf("%T", fault)
	}
	file, err := os.Open(flatOf(path))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info := &types.DiskChangeInfo{StartOffset: start, Length: end - start}
	for at := start; at < end; {
		data, err := file.Seek(at, unix.SEEK_DATA)
		if err != nil || data >= end {
			break // ENXIO: nothing but holes from here on.
		}
		if len(info.ChangedArea) == areasPerAnswer {
			info.Length = data - start
			break
		}
		hole, err := file.Seek(data, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		hole = min(hole, end)
		info.ChangedArea = append(info.ChangedArea, types.DiskChangeExtent{Start: data, Length: hole - data})
		at = hole
	}
	return info, nil
}

// ConsolidateVMDisksTask clears the mark; the lab has no delta files to merge.
func (v *machineView) ConsolidateVMDisksTask(ctx *simulator.Context, request *types.ConsolidateVMDisks_Task) soap.HasFault {
	task := simulator.CreateTask(v.VirtualMachine, "consolidateVMDisks", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		ctx.Update(v.VirtualMachine, []types.PropertyChange{{Name: "runtime.consolidationNeeded", Val: false}})
		return nil, nil
	})
	return &methods.ConsolidateVMDisks_TaskBody{Res: &types.ConsolidateVMDisks_TaskResponse{Returnval: task.Run(ctx)}}
}
