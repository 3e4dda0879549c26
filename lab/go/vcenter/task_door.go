// Every task that a call starts runs inside this frame: delay, rules, our checks, the simulator's work, our completion, the witness.
// One rule: a check runs before anything changed, and the witness hears of each effect before the task is reported done.
// Must never let a panic of the simulator out: it becomes a SystemError of that one task.
package main

import (
	"fmt"
	"log"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// completion finishes what the simulator left undone and tells what happened.
type completion func() []effect

// wrapTask is called when a task is put into the inventory, before it runs.
// A task finds its call by the address of the context that both carry. Tasks that a task starts find none, and stay as they are.
func (w *world) wrapTask(task *simulator.Task) {
	key := reflect.ValueOf(task).Elem().FieldByName("ctx").Pointer()
	value, ok := w.calls.LoadAndDelete(key)
	if !ok {
		return
	}
	call := value.(*openCall)
	work := task.Execute
	if task.Info.Entity.Type == "VirtualMachine" {
		w.busy.Store(*task.Info.Entity, task.Self)
	}
	task.Execute = func(t *simulator.Task) (types.AnyType, types.BaseMethodFault) {
		result, fault := w.runTask(call, t, work)
		w.busy.Delete(*t.Info.Entity)
		outcome := "ok"
		if fault != nil {
			outcome = faultName(fault)
		}
		w.audit.write(auditLine{Kind: "task", Method: call.method.Name, Object: call.method.This.Value, Name: w.callSubject(call.method), Result: outcome}, call.begun)
		return result, fault
	}
}

func faultName(fault types.BaseMethodFault) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", fault), "*types.")
}

func (w *world) runTask(call *openCall, t *simulator.Task, work func(*simulator.Task) (types.AnyType, types.BaseMethodFault)) (result types.AnyType, fault types.BaseMethodFault) {
	defer func() {
		if problem := recover(); problem != nil {
			log.Printf("%s panicked: %v\n%s", call.method.Name, problem, debug.Stack())
			fault = &types.SystemError{Reason: fmt.Sprint(problem)}
		}
	}()
	entity := *t.Info.Entity
	if rule := w.rules.take("task", call.method.Name, w.callSubject(call.method), false); rule != nil {
		w.unlocked(call.ctx, entity, func() { rule.wait() })
		if rule.Fault != "" {
			made, _ := newFault(rule.Fault, rule.Message)
			return nil, completeFault(made, call.method)
		}
	}
	complete, fault := w.prepare(call)
	if fault != nil {
		return nil, fault
	}
	if result, fault = work(t); fault != nil {
		return result, fault
	}
	if complete != nil {
		effects := complete()
		w.unlocked(call.ctx, entity, func() {
			for _, e := range effects {
				w.effects.post(e)
			}
		})
	}
	return result, nil
}

// unlocked runs f while the task's object is free, so that others can read its properties meanwhile.
// The lock counts its holder's claims: the claim taken here and the task's own are both given back, and one is taken again.
func (w *world) unlocked(ctx *simulator.Context, ref types.ManagedObjectReference, f func()) {
	if w.registry().Get(ref) == nil {
		f()
		return
	}
	release := w.registry().AcquireLock(ctx, ref)
	release()
	release()
	f()
	w.registry().AcquireLock(ctx, ref)
}

// prepare chooses the checks and the completion by the kind of call.
func (w *world) prepare(call *openCall) (completion, types.BaseMethodFault) {
	switch request := call.method.Body.(type) {
	case *types.PowerOnVM_Task:
		return w.preparePowerOn(call.ctx, request.This)
	case *types.PowerOffVM_Task:
		return w.preparePowerLoss(call.ctx, request.This, "powerOff")
	case *types.ShutdownGuest:
		return w.preparePowerLoss(call.ctx, request.This, "powerOff")
	case *types.SuspendVM_Task:
		return w.preparePowerLoss(call.ctx, request.This, "suspend")
	case *types.ResetVM_Task:
		return w.preparePowerLoss(call.ctx, request.This, "reset")
	case *types.ReconfigVM_Task:
		return w.prepareReconfigure(request)
	case *types.CreateVM_Task:
		return w.prepareCreate(request)
	case *types.RegisterVM_Task:
		return w.prepareRegistration(request)
	case *types.Destroy_Task:
		return w.prepareDestroy(request.This)
	case *types.CreateVirtualDisk_Task, *types.DeleteVirtualDisk_Task, *types.ExtendVirtualDisk_Task,
		*types.MoveVirtualDisk_Task, *types.CopyVirtualDisk_Task:
		return w.prepareDiskFile(request)
	case *types.CreateSnapshot_Task:
		return w.prepareSnapshot(request.This)
	case *types.CreateSnapshotEx_Task:
		return w.prepareSnapshot(request.This)
	case *types.RemoveAllSnapshots_Task:
		return w.told(effect{Op: "removeSnapshot", VM: w.subject(request.This)}), nil
	case *types.RemoveSnapshot_Task:
		return w.told(effect{Op: "removeSnapshot", VM: w.callSubject(call.method)}), nil
	case *types.RevertToSnapshot_Task:
		return w.told(effect{Op: "revertSnapshot", VM: w.callSubject(call.method)}), nil
	}
	return nil, nil
}

func (w *world) told(e effect) completion {
	return func() []effect { return []effect{e} }
}
