// Programs in the guests: what VMware's guest operations start really runs here, in a folder that stands for the guest's files.
// One rule: a guest takes a program only while its Tools run and the login is right; its end is told for five minutes, as by vCenter.
// Must never let a program see or touch more of this machine's files than any program of the lab's user.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	endsToldFor   = 5 * time.Minute
	guestFilePath = "/guestFile"
	// guestTemp is the one folder of a guest that the lab has; it lies in the guest's own folder.
	guestTemp = "/var/tmp/"
)

type guestLogin struct{ user, password string }

type guestProgram struct {
	vm    types.ManagedObjectReference
	info  types.GuestProcessInfo
	group int
}

// guestDesk knows the programs of all guests and the files that were offered for fetching.
type guestDesk struct {
	world   *world
	login   guestLogin
	mu      sync.Mutex
	next    int64
	running map[int64]*guestProgram
	offered map[string]string
}

func newGuestDesk(w *world) *guestDesk {
	return &guestDesk{world: w, next: 1000, running: map[int64]*guestProgram{}, offered: map[string]string{}}
}

// refuse is what a guest that cannot take an operation answers.
func (d *guestDesk) refuse(vm types.ManagedObjectReference, auth types.BaseGuestAuthentication) types.BaseMethodFault {
	row, ok := d.world.rows.get(vm)
	if !ok {
		return &types.ManagedObjectNotFound{Obj: vm}
	}
	if row.Power != "on" {
		return &types.InvalidPowerState{RequestedState: types.VirtualMachinePowerStatePoweredOn, ExistingState: types.VirtualMachinePowerStatePoweredOff}
	}
	if row.Tools != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning) {
		return &types.GuestOperationsUnavailable{}
	}
	named, ok := auth.(*types.NamePasswordAuthentication)
	if !ok || d.login.user == "" || named.Username != d.login.user || named.Password != d.login.password {
		return &types.InvalidGuestLogin{}
	}
	return nil
}

// place is the folder that stands for the guest's files.
func (d *guestDesk) place(vm types.ManagedObjectReference) string {
	return filepath.Join(d.world.files.dir, ".guests", d.world.subject(vm))
}

func (d *guestDesk) local(vm types.ManagedObjectReference, path string) string {
	return strings.ReplaceAll(path, guestTemp, filepath.Join(d.place(vm), guestTemp)+"/")
}

func (d *guestDesk) start(vm types.ManagedObjectReference, spec *types.GuestProgramSpec) (int64, types.BaseMethodFault) {
	place := d.place(vm)
	if err := os.MkdirAll(filepath.Join(place, guestTemp), 0o755); err != nil {
		return 0, &types.GuestOperationsFault{}
	}
	// As Tools on Linux do it: program and arguments are one line for the shell.
	command := exec.Command("/bin/sh", "-c", d.local(vm, spec.ProgramPath+" "+spec.Arguments))
	command.Dir = place
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return 0, &types.GuestOperationsFault{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	pid := d.next
	program := &guestProgram{vm: vm, group: command.Process.Pid}
	program.info = types.GuestProcessInfo{Name: filepath.Base(spec.ProgramPath), Pid: pid, Owner: d.login.user, StartTime: time.Now()}
	d.running[pid] = program
	go func() {
		_ = command.Wait()
		now := time.Now()
		d.mu.Lock()
		defer d.mu.Unlock()
		program.info.EndTime, program.info.ExitCode, program.group = &now, int32(command.ProcessState.ExitCode()), 0
	}()
	return pid, nil
}

func (d *guestDesk) list(vm types.ManagedObjectReference, pids []int64) []types.GuestProcessInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []types.GuestProcessInfo
	for _, pid := range pids {
		program, ok := d.running[pid]
		if !ok || program.vm != vm {
			continue
		}
		if end := program.info.EndTime; end != nil && time.Since(*end) > endsToldFor {
			delete(d.running, pid)
			continue
		}
		found = append(found, program.info)
	}
	return found
}

// end stops what runs in a guest that lost its power; nobody can ask for it any more. A nil ref means all guests.
func (d *guestDesk) end(vm *types.ManagedObjectReference) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for pid, program := range d.running {
		if vm != nil && program.vm != *vm {
			continue
		}
		if program.group != 0 {
			_ = syscall.Kill(-program.group, syscall.SIGKILL)
		}
		delete(d.running, pid)
	}
}

// offer makes a file of the guest fetchable under a ticket of its own.
func (d *guestDesk) offer(vm types.ManagedObjectReference, path string) (string, int64, types.BaseMethodFault) {
	local := d.local(vm, path)
	info, err := os.Stat(local)
	if err != nil || !strings.HasPrefix(filepath.Clean(local), d.place(vm)) {
		return "", 0, fileFault(&types.FileNotFound{}, path)
	}
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	ticket := hex.EncodeToString(raw)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offered[ticket] = local
	return "https://*" + guestFilePath + "?token=" + ticket, info.Size(), nil
}

// hand gives an offered file to whoever has its ticket.
func (d *guestDesk) hand(out http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	path, ok := d.offered[r.URL.Query().Get("token")]
	d.mu.Unlock()
	if !ok {
		http.Error(out, "no such file is offered", http.StatusNotFound)
		return
	}
	http.ServeFile(out, r, path)
}

// processDesk stands in for the GuestProcessManager.
type processDesk struct {
	mo.GuestProcessManager
	desk *guestDesk
}

func (p *processDesk) StartProgramInGuest(request *types.StartProgramInGuest) soap.HasFault {
	body := &methods.StartProgramInGuestBody{}
	fault := p.desk.refuse(request.Vm, request.Auth)
	if fault == nil {
		var pid int64
		if pid, fault = p.desk.start(request.Vm, request.Spec.GetGuestProgramSpec()); fault == nil {
			body.Res = &types.StartProgramInGuestResponse{Returnval: pid}
			return body
		}
	}
	body.Fault_ = simulator.Fault("", fault)
	return body
}

func (p *processDesk) ListProcessesInGuest(request *types.ListProcessesInGuest) soap.HasFault {
	if fault := p.desk.refuse(request.Vm, request.Auth); fault != nil {
		return &methods.ListProcessesInGuestBody{Fault_: simulator.Fault("", fault)}
	}
	list := p.desk.list(request.Vm, request.Pids)
	return &methods.ListProcessesInGuestBody{Res: &types.ListProcessesInGuestResponse{Returnval: list}}
}

// guestFileDesk stands in for the GuestFileManager.
type guestFileDesk struct {
	mo.GuestFileManager
	desk *guestDesk
}

func (f *guestFileDesk) InitiateFileTransferFromGuest(request *types.InitiateFileTransferFromGuest) soap.HasFault {
	body := &methods.InitiateFileTransferFromGuestBody{}
	fault := f.desk.refuse(request.Vm, request.Auth)
	if fault == nil {
		var url string
		var size int64
		if url, size, fault = f.desk.offer(request.Vm, request.GuestFilePath); fault == nil {
			info := types.FileTransferInformation{Attributes: &types.GuestPosixFileAttributes{}, Size: size, Url: url}
			body.Res = &types.InitiateFileTransferFromGuestResponse{Returnval: info}
			return body
		}
	}
	body.Fault_ = simulator.Fault("", fault)
	return body
}
