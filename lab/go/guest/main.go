// The lab's machine once its kernel runs: it loads the drivers, finds its two disks, starts its application and powers off.
// It speaks on the console, one line a fact, each beginning with HOMEWARD; `HOMEWARD BOOTED …` comes once both disks are read.
// One rule: it says what it found on the disks, never what it expects there.
// Must never write to the disk it booted from.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	diskPatience  = 15 * time.Second
	dataPatience  = 2 * time.Second
	recordsToAdd  = 20
	rootPartition = "root"
)

func say(format string, facts ...any) { fmt.Printf("HOMEWARD "+format+"\n", facts...) }

func main() {
	if err := run(); err != nil {
		say("FAILED %v", err)
	}
	syscall.Sync()
	// Gives the console a moment to send what was said; a machine that is off says nothing more.
	time.Sleep(100 * time.Millisecond)
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func run() error {
	for folder, kind := range map[string]string{"/dev": "devtmpfs", "/proc": "proc", "/sys": "sysfs"} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(kind, folder, kind, 0, ""); err != nil && err != syscall.EBUSY {
			return fmt.Errorf("mount %s: %w", folder, err)
		}
	}
	if err := loadModules("/modules"); err != nil {
		return err
	}
	root, err := awaitDisk(diskPatience, findRoot)
	if err != nil {
		return fmt.Errorf("no partition named %s: %w", rootPartition, err)
	}
	machine, release, err := readRoot(root)
	if err != nil {
		return err
	}
	data, err := awaitDisk(dataPatience, findData)
	if err != nil {
		say("BOOTED machine=%s release=%s last-record=none", machine, release)
		return nil
	}
	return runApplication(data, machine, release)
}

// loadModules loads every driver of the folder in the order of the names. One that finds no device, or whose
// bus driver found none, is no trouble.
func loadModules(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.ko"))
	if err != nil {
		return err
	}
	sort.Strings(files)
	for _, file := range files {
		module, err := os.Open(file)
		if err != nil {
			return err
		}
		none := []byte{0}
		_, _, errno := syscall.Syscall(sysFinitModule, module.Fd(), uintptr(unsafe.Pointer(&none[0])), 0)
		module.Close()
		if errno != 0 && errno != syscall.ENODEV && errno != syscall.ENOENT && errno != syscall.EEXIST {
			say("module %s: %v", filepath.Base(file), errno)
		}
	}
	return nil
}

// awaitDisk looks until something is found: drivers report their disks some time after they were loaded.
func awaitDisk(patience time.Duration, find func() (string, error)) (string, error) {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		found, err := find()
		if err == nil || time.Now().After(end) {
			return found, err
		}
	}
}

func findRoot() (string, error) {
	facts, err := filepath.Glob("/sys/class/block/*/uevent")
	if err != nil {
		return "", err
	}
	for _, file := range facts {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), "PARTNAME="+rootPartition+"\n") {
			return filepath.Join("/dev", filepath.Base(filepath.Dir(file))), nil
		}
	}
	return "", fmt.Errorf("among %d block devices", len(facts))
}

func findData() (string, error) {
	names, err := filepath.Glob("/sys/block/*")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		path := filepath.Join("/dev", filepath.Base(name))
		disk, err := os.Open(path)
		if err != nil {
			continue
		}
		_, err = readLayout(disk)
		disk.Close()
		if err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no data disk among %d disks", len(names))
}

// readRoot mounts the root file system for reading and answers who the machine is and which release it runs.
func readRoot(device string) (machine, release string, err error) {
	if err = os.MkdirAll("/root", 0o755); err != nil {
		return "", "", err
	}
	if err = syscall.Mount(device, "/root", "ext4", syscall.MS_RDONLY, ""); err != nil {
		return "", "", fmt.Errorf("mount %s: %w", device, err)
	}
	word := func(path string) string {
		text, problem := os.ReadFile(path)
		if problem != nil {
			err = problem
		}
		return strings.TrimSpace(string(text))
	}
	return word("/root/etc/hostname"), word("/root/srv/erp/release"), err
}
