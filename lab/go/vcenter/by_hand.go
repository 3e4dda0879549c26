// What an outside actor does to a VM: power, snapshots, taking it out of the inventory.
// One rule: it goes through the same calls, checks and witness as the API, only without a session of the wire.
// Must never skip a check that a person at the vSphere client would meet.
package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/vmware/govmomi/object"
)

const handWorkTimeout = time.Minute

// byHand runs one task on the VM and answers with its new row.
func (w *world) byHand(out http.ResponseWriter, row machineRow, err error, start func(context.Context, *object.VirtualMachine) (*object.Task, error)) {
	if err == nil {
		err = w.runByHand(row, start)
	}
	if fresh, ok := w.rows.get(row.self); ok {
		row = fresh
	}
	reply(out, row, err)
}

func (w *world) runByHand(row machineRow, start func(context.Context, *object.VirtualMachine) (*object.Task, error)) error {
	client, err := w.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), handWorkTimeout)
	defer cancel()
	task, err := start(ctx, object.NewVirtualMachine(client, row.self))
	if err != nil || task == nil {
		return err
	}
	return task.Wait(ctx)
}

func (w *world) powerByHand(out http.ResponseWriter, r *http.Request) {
	request, row, err := w.readHand(r)
	if err == nil && row.Power == request.State {
		reply(out, row, nil)
		return
	}
	w.byHand(out, row, err, func(ctx context.Context, vm *object.VirtualMachine) (*object.Task, error) {
		switch request.State {
		case "on":
			return vm.PowerOn(ctx)
		case "off":
			return vm.PowerOff(ctx)
		case "suspended":
			return vm.Suspend(ctx)
		}
		return nil, fmt.Errorf(`"state" is %q; use "on", "off" or "suspended"`, request.State)
	})
}

// unregisterByHand takes the VM out of the inventory; its files stay.
func (w *world) unregisterByHand(out http.ResponseWriter, r *http.Request) {
	_, row, err := w.readHand(r)
	w.byHand(out, row, err, func(ctx context.Context, vm *object.VirtualMachine) (*object.Task, error) {
		return nil, vm.Unregister(ctx)
	})
}

func (w *world) snapshotByHand(out http.ResponseWriter, r *http.Request) {
	request, row, err := w.readHand(r)
	w.byHand(out, row, err, func(ctx context.Context, vm *object.VirtualMachine) (*object.Task, error) {
		name := request.Name
		if name == "" {
			name = "taken by hand"
		}
		return vm.CreateSnapshot(ctx, name, "", false, false)
	})
}

func (w *world) removeSnapshotsByHand(out http.ResponseWriter, r *http.Request) {
	_, row, err := w.readHand(r)
	w.byHand(out, row, err, func(ctx context.Context, vm *object.VirtualMachine) (*object.Task, error) {
		return vm.RemoveAllSnapshot(ctx, nil)
	})
}
