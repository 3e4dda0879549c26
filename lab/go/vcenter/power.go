// Power and what follows from it: the files a VM needs to start, the locks it takes on them, and what its guest reports.
// One rule: a file is never under two powered-on VMs.
// Must never say that Tools run before the lab's guest has said so.
package main

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

func (w *world) preparePowerOn(ctx *simulator.Context, ref types.ManagedObjectReference) (completion, types.BaseMethodFault) {
	row, ok := w.rows.get(ref)
	if !ok {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	if row.Power == "on" {
		return nil, nil // The simulator answers InvalidPowerState.
	}
	for _, disk := range row.Disks {
		if _, fault := w.files.look(disk.File); fault != nil {
			return nil, fault
		}
		for _, holder := range w.rows.holders(disk.File, ref) {
			if holder.Power == "on" {
				return nil, lockRefusal(disk.File, holder.Name)
			}
		}
	}
	if err := w.rows.redo.begin(row.Disks); err != nil {
		return nil, &types.FileFault{File: row.Name}
	}
	return func() []effect {
		w.writes.begin(ref)
		w.setGuest(ctx, ref, false, "")
		return []effect{{Op: "powerOn", VM: row.Name}}
	}, nil
}

// lockRefusal is what ESX says when another host process has the file open.
func lockRefusal(file, holder string) types.BaseMethodFault {
	reason := fmt.Sprintf("Failed to lock the file: %s is in use by %s", file, holder)
	fault := &types.GenericVmConfigFault{Reason: reason}
	fault.FaultMessage = []types.LocalizableMessage{{Key: "msg.fileio.lock", Message: "Failed to lock the file"}}
	return fault
}

func (w *world) preparePowerLoss(ctx *simulator.Context, ref types.ManagedObjectReference, op string) (completion, types.BaseMethodFault) {
	row, _ := w.rows.get(ref)
	name := w.subject(ref)
	return func() []effect {
		w.guests.end(&ref)
		if op == "powerOff" {
			w.writes.end(ref)
		}
		w.rows.redo.end(row.Disks)
		w.setGuest(ctx, ref, false, "")
		return []effect{{Op: op, VM: name}}
	}, nil
}

// setGuest publishes what Tools in the guest report. The caller's context holds the VM's lock, or takes it here.
func (w *world) setGuest(ctx *simulator.Context, ref types.ManagedObjectReference, running bool, ip string) {
	vm := w.machine(ref)
	if vm == nil {
		return
	}
	status, tools, state := types.VirtualMachineToolsStatusToolsNotRunning, types.VirtualMachineToolsRunningStatusGuestToolsNotRunning, "notRunning"
	beat := types.ManagedEntityStatusGray
	version := types.VirtualMachineToolsVersionStatusGuestToolsCurrent
	if _, missing := w.toolless.Load(ref); missing {
		running, ip = false, ""
		status, version = types.VirtualMachineToolsStatusToolsNotInstalled, types.VirtualMachineToolsVersionStatusGuestToolsNotInstalled
	}
	if running {
		status, tools, state = types.VirtualMachineToolsStatusToolsOk, types.VirtualMachineToolsRunningStatusGuestToolsRunning, "running"
		beat = types.ManagedEntityStatusGreen
	}
	ctx.WithLock(vm, func() {
		for i := range vm.Guest.Net {
			vm.Guest.Net[i].IpAddress = nil
			if ip != "" {
				vm.Guest.Net[i].IpAddress = []string{ip}
			}
		}
		ctx.Update(vm, []types.PropertyChange{
			{Name: "guest.toolsStatus", Val: status},
			{Name: "guest.toolsRunningStatus", Val: string(tools)},
			{Name: "guest.toolsVersionStatus2", Val: string(version)},
			{Name: "guest.guestState", Val: state},
			{Name: "guest.ipAddress", Val: ip},
			{Name: "guest.net", Val: vm.Guest.Net},
			{Name: "guestHeartbeatStatus", Val: beat},
			{Name: "summary.guest.toolsStatus", Val: status},
			{Name: "summary.guest.toolsRunningStatus", Val: string(tools)},
			{Name: "summary.guest.ipAddress", Val: ip},
			{Name: "summary.quickStats.guestHeartbeatStatus", Val: beat},
		})
	})
}
