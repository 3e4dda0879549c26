// Reads inventory.json and builds the VMs that the lab asked for, through the same calls a person would use.
// One rule: a disk file that already holds bytes is attached as it is; a missing one is made empty with the right size.
// Must never start with half an inventory: the first problem ends the start with its name.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type inventoryDisk struct {
	File       string `json:"file"`
	SizeBytes  int64  `json:"sizeBytes"`
	UUID       string `json:"uuid"`
	Controller int32  `json:"controller"`
	Unit       *int32 `json:"unit"`
}

type inventoryNIC struct {
	Network string `json:"network"`
	MAC     string `json:"mac"`
}

type inventoryVM struct {
	Name        string            `json:"name"`
	FolderPath  string            `json:"folderPath"`
	CPUs        int32             `json:"cpus"`
	MemoryMiB   int64             `json:"memoryMiB"`
	Firmware    string            `json:"firmware"`
	Controllers []string          `json:"controllers"`
	Disks       []inventoryDisk   `json:"disks"`
	NICs        []inventoryNIC    `json:"nics"`
	Host        int               `json:"host"`
	Power       string            `json:"power"`
	UUID        string            `json:"uuid"`
	ExtraConfig map[string]string `json:"extraConfig"`
}

type inventoryFile struct {
	VMs []inventoryVM `json:"vms"`
}

func readInventory(path string) (inventoryFile, error) {
	var inventory inventoryFile
	if path == "" {
		return inventory, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return inventory, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&inventory); err != nil {
		return inventory, fmt.Errorf("%s: %w", path, err)
	}
	return inventory, nil
}

func (w *world) build(inventory inventoryFile) error {
	client, err := w.client()
	if err != nil {
		return err
	}
	ctx := context.Background()
	finder := find.NewFinder(client)
	datacenter, err := finder.Datacenter(ctx, "/DC0")
	if err != nil {
		return err
	}
	folders, err := datacenter.Folders(ctx)
	if err != nil {
		return err
	}
	var cluster mo.ComputeResource
	cluster.Self = w.registry().Any("ClusterComputeResource").Reference()
	pool, err := object.NewClusterComputeResource(client, cluster.Self).ResourcePool(ctx)
	if err != nil {
		return err
	}
	for _, vm := range inventory.VMs {
		if err := w.buildVM(ctx, folders.VmFolder, pool, vm); err != nil {
			return fmt.Errorf("VM %q of the inventory: %w", vm.Name, err)
		}
	}
	return nil
}

func (w *world) buildVM(ctx context.Context, root *object.Folder, pool *object.ResourcePool, vm inventoryVM) error {
	hosts := w.hosts()
	if vm.Host < 0 || vm.Host >= len(hosts) {
		return fmt.Errorf(`"host" is %d; there are %d hosts, counted from 0`, vm.Host, len(hosts))
	}
	spec, err := w.specOf(vm)
	if err != nil {
		return err
	}
	folder, err := ensureFolder(ctx, root, vm.FolderPath)
	if err != nil {
		return err
	}
	w.clearLeftovers(vm.Name)
	task, err := folder.CreateVM(ctx, spec, pool, object.NewHostSystem(root.Client(), hosts[vm.Host]))
	if err != nil {
		return err
	}
	info, err := task.WaitForResult(ctx)
	if err != nil {
		return err
	}
	if vm.Power != "on" {
		return nil
	}
	task, err = object.NewVirtualMachine(root.Client(), info.Result.(types.ManagedObjectReference)).PowerOn(ctx)
	if err != nil {
		return err
	}
	return task.Wait(ctx)
}

// clearLeftovers removes the VM's own small files of an earlier run on the same folder; disks stay.
func (w *world) clearLeftovers(name string) {
	for _, file := range []string{name + ".vmx", name + ".nvram", "vmware.log"} {
		_ = os.Remove(filepath.Join(w.files.dir, name, file))
	}
}

func ensureFolder(ctx context.Context, root *object.Folder, path string) (*object.Folder, error) {
	folder := root
	for _, name := range strings.FieldsFunc(path, func(c rune) bool { return c == '/' }) {
		children, err := folder.Children(ctx)
		if err != nil {
			return nil, err
		}
		var found *object.Folder
		for _, child := range children {
			if sub, ok := child.(*object.Folder); ok {
				if have, err := sub.ObjectName(ctx); err == nil && have == name {
					found = sub
				}
			}
		}
		if found == nil {
			if found, err = folder.CreateFolder(ctx, name); err != nil {
				return nil, err
			}
		}
		folder = found
	}
	return folder, nil
}
