// Builds the simulated vCenter: one datacenter, one cluster of two hosts, one datastore on a folder of the lab.
// One rule: everything that differs from the stock simulator hangs on this one value and its small parts.
// Must never listen anywhere but on the loopback interface.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"sync"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const apiVersion = "8.0.3.0"

type world struct {
	model      *simulator.Model
	service    *simulator.Service
	files      diskFiles
	rows       *machineRows
	rules      *ruleBook
	privileges *privilegeBook
	sessions   *sessionBook
	effects    *effectPoster
	audit      *auditFile
	views      *machineViews
	calls      sync.Map // address of a call's context -> *openCall
	busy       sync.Map // VM -> task that works on it
	toolless   sync.Map // VM without Tools: whatever its guest does, nobody reports it
	changeIDs  changeCounter
	shelf      settingsShelf
	guests     *guestDesk
	writes     *writeLedger
}

func (w *world) registry() *simulator.Registry { return w.service.Context.Map }

// context is a fresh context of our own, with its own place in the lock order.
func (w *world) context() *simulator.Context {
	copied := *w.service.Context
	return &copied
}

func newWorld(files diskFiles, effects *effectPoster, audit *auditFile) (*world, error) {
	model := simulator.VPX()
	model.Portgroup, model.Host, model.Datastore, model.Machine = 1, 0, 0, 0
	model.Cluster, model.ClusterHost = 1, 2
	about := &model.ServiceContent.About
	about.ApiVersion, about.Version = apiVersion, "8.0.3"
	about.FullName = "VMware vCenter Server 8.0.3 (simulated for the lab)"
	if err := model.Create(); err != nil {
		return nil, fmt.Errorf("the simulator could not build its datacenter: %w", err)
	}
	model.Remove() // Its empty temporary folder; at once, so that not even a kill -9 leaves it behind.
	w := &world{
		model: model, service: model.Service, files: files, effects: effects, audit: audit,
		rows: newMachineRows(files), rules: &ruleBook{}, privileges: newPrivilegeBook(),
		sessions: newSessionBook(), writes: newWriteLedger(),
	}
	w.views = newMachineViews(w)
	w.guests = newGuestDesk(w)
	simulator.TaskDelay.MethodDelay = map[string]int{"LockHandoff": 0}
	if err := w.mountDatastore(); err != nil {
		return nil, err
	}
	w.install()
	return w, nil
}

func (w *world) client() (*vim25.Client, error) {
	return vim25.NewClient(context.Background(), w.service)
}

func (w *world) hosts() []types.ManagedObjectReference {
	cluster := w.registry().Any("ClusterComputeResource").(*simulator.ClusterComputeResource)
	return cluster.Host
}

func (w *world) mountDatastore() error {
	client, err := w.client()
	if err != nil {
		return err
	}
	ctx := context.Background()
	for _, ref := range w.hosts() {
		system, err := object.NewHostSystem(client, ref).ConfigManager().DatastoreSystem(ctx)
		if err != nil {
			return err
		}
		if _, err = system.CreateLocalDatastore(ctx, w.files.datastore, w.files.dir); err != nil {
			return fmt.Errorf("datastore %q on %s: %w; give -datastore-dir an existing folder", w.files.datastore, w.files.dir, err)
		}
	}
	return nil
}

// install puts our replacements where the simulator looks for them.
func (w *world) install() {
	registry := w.registry()
	content := w.model.ServiceContent
	registry.Put(&diskDesk{VirtualDiskManager: registry.Get(*content.VirtualDiskManager).(*simulator.VirtualDiskManager), world: w})
	registry.Put(&privilegeDesk{AuthorizationManager: registry.Get(*content.AuthorizationManager).(*simulator.AuthorizationManager), book: w.privileges})
	registry.Put(newWritesDesk(w, registry.Get(*content.PerfManager).(*simulator.PerformanceManager)))
	guests := registry.Get(*content.GuestOperationsManager).(*simulator.GuestOperationsManager)
	processes, guestFiles := &processDesk{desk: w.guests}, &guestFileDesk{desk: w.guests}
	processes.Self, guestFiles.Self = *guests.ProcessManager, *guests.FileManager
	registry.Put(processes)
	registry.Put(guestFiles)
	collector := &strictCollector{}
	collector.Self = content.PropertyCollector
	registry.Put(collector)
	changes := &machineChanges{world: w}
	changes.Self = types.ManagedObjectReference{Type: "LabMachineChanges", Value: "lab-machine-changes"}
	registry.AddHandler(changes)
	registry.Handler = w.admit
}

// serve starts the SOAP endpoint. The simulator panics when the address is taken.
func (w *world) serve(listen string, user *url.Userinfo, certificate tls.Certificate) (server *simulator.Server, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("-listen %s: %v; choose a free port, or 0", listen, problem)
		}
	}()
	w.service.Listen = &url.URL{Host: listen, User: user}
	w.service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server = w.service.NewServer()
	server.Config.Handler = w.wire(server.Config.Handler)
	return server, nil
}

func (w *world) machine(ref types.ManagedObjectReference) *simulator.VirtualMachine {
	vm, _ := w.registry().Get(ref).(*simulator.VirtualMachine)
	return vm
}

// subject is the name under which rules and the audit know the object of a call.
func (w *world) subject(ref types.ManagedObjectReference) string {
	if row, ok := w.rows.get(ref); ok {
		return row.Name
	}
	if entity, ok := w.registry().Get(ref).(mo.Entity); ok && ref.Type != "Task" {
		return entity.Entity().Name
	}
	return ""
}
