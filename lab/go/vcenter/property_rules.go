// A property collector that refuses unknown paths as vCenter does: with InvalidProperty for the whole call.
// One rule: a path is judged by the published shape of its managed object, not by what happens to be set.
// Must never refuse a path below a value whose exact type is only known at run time.
package main

import (
	"reflect"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

var managedTypes = map[string]reflect.Type{
	"VirtualMachine":                 reflect.TypeOf(mo.VirtualMachine{}),
	"HostSystem":                     reflect.TypeOf(mo.HostSystem{}),
	"Datastore":                      reflect.TypeOf(mo.Datastore{}),
	"Datacenter":                     reflect.TypeOf(mo.Datacenter{}),
	"Task":                           reflect.TypeOf(mo.Task{}),
	"TaskManager":                    reflect.TypeOf(mo.TaskManager{}),
	"Folder":                         reflect.TypeOf(mo.Folder{}),
	"ResourcePool":                   reflect.TypeOf(mo.ResourcePool{}),
	"ComputeResource":                reflect.TypeOf(mo.ComputeResource{}),
	"ClusterComputeResource":         reflect.TypeOf(mo.ClusterComputeResource{}),
	"Network":                        reflect.TypeOf(mo.Network{}),
	"DistributedVirtualPortgroup":    reflect.TypeOf(mo.DistributedVirtualPortgroup{}),
	"VirtualMachineSnapshot":         reflect.TypeOf(mo.VirtualMachineSnapshot{}),
	"ManagedEntity":                  reflect.TypeOf(mo.ManagedEntity{}),
	"HostDatastoreBrowser":           reflect.TypeOf(mo.HostDatastoreBrowser{}),
	"SessionManager":                 reflect.TypeOf(mo.SessionManager{}),
	"AuthorizationManager":           reflect.TypeOf(mo.AuthorizationManager{}),
	"HttpNfcLease":                   reflect.TypeOf(mo.HttpNfcLease{}),
	"ContainerView":                  reflect.TypeOf(mo.ContainerView{}),
	"ListView":                       reflect.TypeOf(mo.ListView{}),
	"PerformanceManager":             reflect.TypeOf(mo.PerformanceManager{}),
	"EnvironmentBrowser":             reflect.TypeOf(mo.EnvironmentBrowser{}),
	"HostNetworkSystem":              reflect.TypeOf(mo.HostNetworkSystem{}),
	"HostStorageSystem":              reflect.TypeOf(mo.HostStorageSystem{}),
	"VmwareDistributedVirtualSwitch": reflect.TypeOf(mo.VmwareDistributedVirtualSwitch{}),
}

func checkProperties(specs ...types.PropertyFilterSpec) types.BaseMethodFault {
	for _, spec := range specs {
		for _, set := range spec.PropSet {
			kind, ok := managedTypes[set.Type]
			if !ok {
				continue
			}
			for _, path := range set.PathSet {
				if !hasProperty(kind, path) {
					return &types.InvalidProperty{Name: path}
				}
			}
		}
	}
	return nil
}

// hasProperty walks a path such as `config.hardware.device[2000].backing` along the fields of the Go types.
func hasProperty(kind reflect.Type, path string) bool {
	for i, name := range splitPath(path) {
		for kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if kind.Kind() == reflect.Interface {
			return true
		}
		if kind.Kind() != reflect.Struct || name == "" || strings.ToLower(name[:1]) != name[:1] {
			return false
		}
		bare, _, keyed := strings.Cut(name, "[")
		field, ok := kind.FieldByName(strings.ToUpper(bare[:1]) + bare[1:])
		if !ok || field.Anonymous || (i == 0 && bare == "self") {
			return false
		}
		kind = field.Type
		if keyed {
			if kind.Kind() != reflect.Slice {
				return false
			}
			kind = kind.Elem()
		}
	}
	return true
}

// splitPath cuts at the dots outside of brackets.
func splitPath(path string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range path {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		case '.':
			if depth == 0 {
				parts, from = append(parts, path[from:i]), i+1
			}
		}
	}
	return append(parts, path[from:])
}

// strictCollector stands in for the simulator's collector; each session gets its own copy of it.
type strictCollector struct {
	simulator.PropertyCollector
}

func (c *strictCollector) RetrievePropertiesEx(ctx *simulator.Context, request *types.RetrievePropertiesEx) soap.HasFault {
	if fault := checkProperties(request.SpecSet...); fault != nil {
		return &methods.RetrievePropertiesExBody{Fault_: simulator.Fault("invalid property", fault)}
	}
	return c.PropertyCollector.RetrievePropertiesEx(ctx, request)
}

func (c *strictCollector) RetrieveProperties(ctx *simulator.Context, request *types.RetrieveProperties) soap.HasFault {
	if fault := checkProperties(request.SpecSet...); fault != nil {
		return &methods.RetrievePropertiesBody{Fault_: simulator.Fault("invalid property", fault)}
	}
	return c.PropertyCollector.RetrieveProperties(ctx, request)
}

func (c *strictCollector) CreateFilter(ctx *simulator.Context, request *types.CreateFilter) soap.HasFault {
	if fault := checkProperties(request.Spec); fault != nil {
		return &methods.CreateFilterBody{Fault_: simulator.Fault("invalid property", fault)}
	}
	return c.PropertyCollector.CreateFilter(ctx, request)
}

func (c *strictCollector) CreatePropertyCollector(ctx *simulator.Context, _ *types.CreatePropertyCollector) soap.HasFault {
	made := &strictCollector{}
	made.Self.Type = "PropertyCollector"
	return &methods.CreatePropertyCollectorBody{
		Res: &types.CreatePropertyCollectorResponse{Returnval: ctx.Session.Put(made).Reference()},
	}
}
