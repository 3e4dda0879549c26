// Which privileges the lab's user lacks, and which calls need them.
// One rule: what HasPrivilegeOnEntities denies, the matching call refuses too, with NoPermission and the privilege's id.
// Must never deny anything that was not asked for: by default everything is granted.
package main

import (
	"slices"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// needed names the privilege of each call; those of ReconfigVM_Task depend on its spec.
var needed = map[string]string{
	"PowerOnVM_Task":                 "VirtualMachine.Interact.PowerOn",
	"PowerOffVM_Task":                "VirtualMachine.Interact.PowerOff",
	"ShutdownGuest":                  "VirtualMachine.Interact.PowerOff",
	"ResetVM_Task":                   "VirtualMachine.Interact.Reset",
	"SuspendVM_Task":                 "VirtualMachine.Interact.Suspend",
	"AnswerVM":                       "VirtualMachine.Interact.AnswerQuestion",
	"CreateVM_Task":                  "VirtualMachine.Inventory.Create",
	"RegisterVM_Task":                "VirtualMachine.Inventory.Register",
	"UnregisterVM":                   "VirtualMachine.Inventory.Unregister",
	"Destroy_Task":                   "VirtualMachine.Inventory.Delete",
	"CreateSnapshot_Task":            "VirtualMachine.State.CreateSnapshot",
	"CreateSnapshotEx_Task":          "VirtualMachine.State.CreateSnapshot",
	"RemoveSnapshot_Task":            "VirtualMachine.State.RemoveSnapshot",
	"RemoveAllSnapshots_Task":        "VirtualMachine.State.RemoveSnapshot",
	"ConsolidateVMDisks_Task":        "VirtualMachine.State.RemoveSnapshot",
	"RevertToSnapshot_Task":          "VirtualMachine.State.RevertToSnapshot",
	"RevertToCurrentSnapshot_Task":   "VirtualMachine.State.RevertToSnapshot",
	"QueryChangedDiskAreas":          "VirtualMachine.Provisioning.DiskRandomRead",
	"CreateVirtualDisk_Task":         "Datastore.FileManagement",
	"DeleteVirtualDisk_Task":         "Datastore.FileManagement",
	"ExtendVirtualDisk_Task":         "Datastore.FileManagement",
	"MoveVirtualDisk_Task":           "Datastore.FileManagement",
	"CopyVirtualDisk_Task":           "Datastore.FileManagement",
	"SetVirtualDiskUuid":             "Datastore.FileManagement",
	"QueryVirtualDiskUuid":           "Datastore.FileManagement",
	"MakeDirectory":                  "Datastore.FileManagement",
	"DeleteDatastoreFile_Task":       "Datastore.FileManagement",
	"MoveDatastoreFile_Task":         "Datastore.FileManagement",
	"CopyDatastoreFile_Task":         "Datastore.FileManagement",
	"SearchDatastore_Task":           "Datastore.Browse",
	"SearchDatastoreSubFolders_Task": "Datastore.Browse",
	"StartProgramInGuest":            "VirtualMachine.GuestOperations.Execute",
	"ListProcessesInGuest":           "VirtualMachine.GuestOperations.Query",
	"InitiateFileTransferFromGuest":  "VirtualMachine.GuestOperations.Query",
	"CreateContainerView":            "System.View",
	"RetrieveEntityPermissions":      "System.Read",
	"QueryPerf":                      "System.Read",
}

type privilegeBook struct {
	mu     sync.Mutex
	denied []string
}

func newPrivilegeBook() *privilegeBook { return &privilegeBook{denied: []string{}} }

func (b *privilegeBook) deny(ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.denied = append([]string{}, ids...)
}

func (b *privilegeBook) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.denied...)
}

func (b *privilegeBook) has(id string) bool { return !slices.Contains(b.list(), id) }

func privilegeOf(method *simulator.Method) string {
	if id, ok := needed[method.Name]; ok {
		return id
	}
	return "System.Read"
}

func (b *privilegeBook) refuse(method *simulator.Method) types.BaseMethodFault {
	var wanted []string
	if request, ok := method.Body.(*types.ReconfigVM_Task); ok {
		wanted = privilegesOfSpec(&request.Spec)
	} else if id, ok := needed[method.Name]; ok {
		wanted = []string{id}
	}
	for _, id := range wanted {
		if !b.has(id) {
			return &types.NoPermission{Object: &method.This, PrivilegeId: id}
		}
	}
	return nil
}

func privilegesOfSpec(spec *types.VirtualMachineConfigSpec) []string {
	var wanted []string
	for _, change := range spec.DeviceChange {
		wanted = append(wanted, privilegeOfChange(change.GetVirtualDeviceConfigSpec()))
	}
	if len(spec.ExtraConfig) > 0 {
		wanted = append(wanted, "VirtualMachine.Config.AdvancedConfig")
	}
	if spec.NumCPUs != 0 {
		wanted = append(wanted, "VirtualMachine.Config.CPUCount")
	}
	if spec.MemoryMB != 0 {
		wanted = append(wanted, "VirtualMachine.Config.Memory")
	}
	if spec.Annotation != "" {
		wanted = append(wanted, "VirtualMachine.Config.Annotation")
	}
	if spec.Name != "" {
		wanted = append(wanted, "VirtualMachine.Config.Rename")
	}
	if spec.ChangeTrackingEnabled != nil {
		wanted = append(wanted, "VirtualMachine.Config.ChangeTracking")
	}
	return wanted
}

func privilegeOfChange(change *types.VirtualDeviceConfigSpec) string {
	_, disk := change.Device.(*types.VirtualDisk)
	switch {
	case !disk && change.Operation == types.VirtualDeviceConfigSpecOperationEdit:
		return "VirtualMachine.Config.EditDevice"
	case !disk:
		return "VirtualMachine.Config.AddRemoveDevice"
	case change.Operation == types.VirtualDeviceConfigSpecOperationRemove:
		return "VirtualMachine.Config.RemoveDisk"
	case change.Operation == types.VirtualDeviceConfigSpecOperationEdit:
		return "VirtualMachine.Config.DiskExtend"
	case change.FileOperation == "":
		return "VirtualMachine.Config.AddExistingDisk"
	}
	return "VirtualMachine.Config.AddNewDisk"
}

// privilegeDesk stands in for the AuthorizationManager.
type privilegeDesk struct {
	*simulator.AuthorizationManager
	book *privilegeBook
}

func (d *privilegeDesk) HasPrivilegeOnEntities(request *types.HasPrivilegeOnEntities) soap.HasFault {
	response := &types.HasPrivilegeOnEntitiesResponse{}
	for _, entity := range request.Entity {
		answer := types.EntityPrivilege{Entity: entity}
		for _, id := range request.PrivId {
			answer.PrivAvailability = append(answer.PrivAvailability, types.PrivilegeAvailability{PrivId: id, IsGranted: d.book.has(id)})
		}
		response.Returnval = append(response.Returnval, answer)
	}
	return &methods.HasPrivilegeOnEntitiesBody{Res: response}
}

// HasPrivilegeOnEntity is the old call for one entity. The simulator's XML leaves out a `false` in a list, so no honest answer exists.
func (d *privilegeDesk) HasPrivilegeOnEntity(*types.HasPrivilegeOnEntity) soap.HasFault {
	return &methods.HasPrivilegeOnEntityBody{Fault_: simulator.Fault("ask HasPrivilegeOnEntities instead", &types.NotSupported{})}
}

func (d *privilegeDesk) FetchUserPrivilegeOnEntities(request *types.FetchUserPrivilegeOnEntities) soap.HasFault {
	body := d.AuthorizationManager.FetchUserPrivilegeOnEntities(request).(*methods.FetchUserPrivilegeOnEntitiesBody)
	for i := range body.Res.Returnval {
		row := &body.Res.Returnval[i]
		row.Privileges = slices.DeleteFunc(slices.Clone(row.Privileges), func(id string) bool { return !d.book.has(id) })
	}
	return body
}
