// Every call passes here before the simulator sees it.
// One rule: first what real vCenter would refuse (privileges, a busy VM, missing Tools), then what a rule asks for.
// Must never change anything in the inventory: it only refuses, delays, or remembers the call for its task.
package main

import (
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// openCall is a call whose task has not been seen yet.
type openCall struct {
	ctx    *simulator.Context
	method *simulator.Method
	begun  time.Time
}

// admit is the simulator's hook before each call. A fault it returns is the answer to the call.
func (w *world) admit(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if ctx.Session == nil {
		return nil, nil
	}
	if method.This.Type == "VirtualMachine" {
		w.views.show(ctx, w.machine(method.This))
	}
	subject := w.callSubject(method)
	if rule := w.rules.take("call", method.Name, subject, false); rule != nil {
		rule.wait()
		if rule.Fault != "" {
			fault, _ := newFault(rule.Fault, rule.Message)
			return nil, completeFault(fault, method)
		}
	}
	if fault := w.privileges.refuse(method); fault != nil {
		return nil, fault
	}
	if fault := w.refuseByState(method); fault != nil {
		return nil, fault
	}
	if startsTask(method.Name) {
		w.calls.Store(reflect.ValueOf(ctx).Pointer(), &openCall{ctx: ctx, method: method, begun: time.Now()})
		w.dropOldCalls()
	}
	return nil, nil
}

func startsTask(method string) bool {
	return strings.HasSuffix(method, "_Task") || method == "ShutdownGuest"
}

// dropOldCalls forgets calls that were refused before they made a task.
func (w *world) dropOldCalls() {
	w.calls.Range(func(key, value any) bool {
		if time.Since(value.(*openCall).begun) > time.Minute {
			w.calls.Delete(key)
		}
		return true
	})
}

// callSubject is the VM's name (also of one to come), or for calls about files the path on the datastore.
func (w *world) callSubject(method *simulator.Method) string {
	if method.This.Type == "VirtualDiskManager" || method.This.Type == "FileManager" {
		body := reflect.ValueOf(method.Body)
		if body.Kind() == reflect.Pointer && body.Elem().Kind() == reflect.Struct {
			if name := body.Elem().FieldByName("Name"); name.IsValid() && name.Kind() == reflect.String {
				return name.String()
			}
		}
	}
	switch request := method.Body.(type) {
	case *types.CreateVM_Task:
		return request.Config.Name
	case *types.RegisterVM_Task:
		return request.Name
	case *types.StartProgramInGuest:
		return w.subject(request.Vm)
	case *types.ListProcessesInGuest:
		return w.subject(request.Vm)
	case *types.QueryPerf:
		if len(request.QuerySpec) > 0 {
			return w.subject(request.QuerySpec[0].Entity)
		}
	case *types.InitiateFileTransferFromGuest:
		return w.subject(request.Vm)
	}
	if snapshot, ok := w.registry().Get(method.This).(*simulator.VirtualMachineSnapshot); ok {
		return w.subject(snapshot.Vm)
	}
	return w.subject(method.This)
}

// refuseByState holds the refusals that answer the call itself, not its task.
func (w *world) refuseByState(method *simulator.Method) types.BaseMethodFault {
	if method.This.Type != "VirtualMachine" {
		return nil
	}
	if task, ok := w.busy.Load(method.This); ok && (startsTask(method.Name) || method.Name == "UnregisterVM") {
		ref := task.(types.ManagedObjectReference)
		return &types.TaskInProgress{Task: ref}
	}
	if method.Name == "ShutdownGuest" || method.Name == "RebootGuest" {
		row, _ := w.rows.get(method.This)
		if row.Power == "on" && row.Tools != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning) {
			return &types.ToolsUnavailable{}
		}
	}
	return nil
}

// completeFault fills in what a client may read from the common faults.
func completeFault(fault types.BaseMethodFault, method *simulator.Method) types.BaseMethodFault {
	switch f := fault.(type) {
	case *types.NotAuthenticated:
		f.Object, f.PrivilegeId = &method.This, "System.View"
	case *types.NoPermission:
		f.Object, f.PrivilegeId = &method.This, privilegeOf(method)
	case *types.ManagedObjectNotFound:
		f.Obj = method.This
	case *types.TaskInProgress:
		f.Task = types.ManagedObjectReference{Type: "Task", Value: "task-of-someone-else"}
	}
	return fault
}

// machineView is what a session sees in place of a VM: the simulator's own object plus the calls it lacks.
// It stands in the session's registry only, because the simulator's code expects its own type in the inventory.
type machineView struct {
	*simulator.VirtualMachine
	world *world
}

type machineViews struct {
	world *world
	mu    sync.Mutex
	shown map[types.ManagedObjectReference][]*simulator.Registry
}

func newMachineViews(w *world) *machineViews {
	return &machineViews{world: w, shown: map[types.ManagedObjectReference][]*simulator.Registry{}}
}

func (v *machineViews) show(ctx *simulator.Context, vm *simulator.VirtualMachine) {
	if vm == nil || ctx.Session.Registry == nil {
		return
	}
	if shown, ok := ctx.Session.Registry.Get(vm.Self).(*machineView); ok && shown.VirtualMachine == vm {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	ctx.Session.Registry.Put(&machineView{VirtualMachine: vm, world: v.world})
	v.shown[vm.Self] = append(v.shown[vm.Self], ctx.Session.Registry)
}

func (v *machineViews) forget(ref types.ManagedObjectReference) {
	v.mu.Lock()
	registries := v.shown[ref]
	delete(v.shown, ref)
	v.mu.Unlock()
	for _, registry := range registries {
		registry.Remove(&simulator.Context{Map: registry}, ref)
	}
}
