// Disks in the mode independent_nonpersistent: what a running machine writes goes to a redo file, which its power-off deletes.
// One rule: the disk's own file stays byte for byte as it was while the machine runs.
// Must never leave a redo file behind a machine that is off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/vmware/govmomi/vim25/types"
)

// redoFiles knows the redo file of each disk that has one, by the disk's datastore path.
type redoFiles struct {
	mu  sync.Mutex
	all map[string]string
}

func newRedoFiles() *redoFiles { return &redoFiles{all: map[string]string{}} }

func (r *redoFiles) of(file string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[file]
}

// begin makes the redo files of a machine that gets power. The real one begins empty and falls through to the disk; a copy
// reads the same.
func (r *redoFiles) begin(disks []diskRow) error {
	for _, disk := range disks {
		if disk.Mode != string(types.VirtualDiskModeIndependent_nonpersistent) {
			continue
		}
		redo := disk.Path + ".REDO"
		if out, err := exec.Command("cp", "--sparse=always", disk.Path, redo).CombinedOutput(); err != nil {
			return fmt.Errorf("the redo file of %s: %w: %s", disk.File, err, out)
		}
		r.mu.Lock()
		r.all[disk.File] = redo
		r.mu.Unlock()
	}
	return nil
}

// end forgets what was written.
func (r *redoFiles) end(disks []diskRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, disk := range disks {
		if redo := r.all[disk.File]; redo != "" {
			_ = os.Remove(redo)
			delete(r.all, disk.File)
		}
	}
}
