// What an outside actor does to a host: into maintenance, and out of it.
// One rule: it goes through the same call as the API, so that the host says of itself what a real one would.
// Must never move the VMs that run there: the lab's hosts have nowhere to send them.
package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

func (w *world) hostNamed(name string) (types.ManagedObjectReference, error) {
	names := []string{}
	for _, ref := range w.hosts() {
		host := w.registry().Get(ref).(*simulator.HostSystem)
		if host.Name == name {
			return ref, nil
		}
		names = append(names, host.Name)
	}
	return types.ManagedObjectReference{}, fmt.Errorf("there is no host %q; there are %q", name, names)
}

func (w *world) maintenanceByHand(out http.ResponseWriter, r *http.Request) {
	wanted, err := read[struct {
		Host string `json:"host"`
		On   bool   `json:"on"`
	}](r)
	if err == nil {
		err = w.setMaintenance(wanted.Host, wanted.On)
	}
	reply(out, wanted, err)
}

func (w *world) setMaintenance(name string, on bool) error {
	ref, err := w.hostNamed(name)
	if err != nil {
		return err
	}
	client, err := w.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), handWorkTimeout)
	defer cancel()
	host := object.NewHostSystem(client, ref)
	change := host.ExitMaintenanceMode
	if on {
		change = func(ctx context.Context, timeout int32) (*object.Task, error) {
			return host.EnterMaintenanceMode(ctx, timeout, false, nil)
		}
	}
	task, err := change(ctx, 0)
	if err != nil {
		return err
	}
	return task.Wait(ctx)
}
