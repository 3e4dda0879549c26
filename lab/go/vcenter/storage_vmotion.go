// What Storage vMotion does to a disk of a running VM: the same bytes and id, from one moment on in another file.
// One rule: whoever holds the old file open writes into the same bytes as before; only names change.
// Must never move a disk onto a file that exists.
package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/vmware/govmomi/vim25/types"
)

func (w *world) moveDiskByHand(out http.ResponseWriter, r *http.Request) {
	request, row, err := w.readHand(r)
	if err == nil {
		err = w.moveDisk(row, request.From, request.To)
	}
	if fresh, ok := w.rows.get(row.self); ok {
		row = fresh
	}
	reply(out, row, err)
}

func (w *world) moveDisk(row machineRow, from, to string) error {
	facts, fault := w.files.look(from)
	if fault != nil {
		return fmt.Errorf("disk %q: %T", from, fault)
	}
	if err := w.files.rename(from, to, facts); err != nil {
		return err
	}
	ctx := w.context()
	vm := w.machine(row.self)
	moved := false
	ctx.WithLock(vm, func() {
		devices := vm.Config.Hardware.Device
		for _, device := range devices {
			if disk, ok := device.(*types.VirtualDisk); ok && fileOfDisk(disk) == from {
				disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo).FileName = to
				moved = true
			}
		}
		ctx.Update(vm, []types.PropertyChange{{Name: "config.hardware.device", Val: devices}})
	})
	if !moved {
		return fmt.Errorf("VM %q holds no disk %q", row.Name, from)
	}
	return nil
}

func (d diskFiles) rename(from, to string, facts diskFacts) error {
	old, _ := d.local(from)
	path, fault := d.local(to)
	if fault != nil {
		return fmt.Errorf("disk %q: %T", to, fault)
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("disk %q exists", to)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Rename(flatOf(old), flatOf(path)); err != nil {
		return err
	}
	if err := os.Remove(old); err != nil {
		return err
	}
	return writeDescriptor(path, facts.uuid, facts.sizeBytes)
}
