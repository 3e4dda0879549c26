// The lab's own door to this world: plain HTTP and JSON on the loopback interface.
// One rule: what a person at the vSphere client, the weather or a guest could do is done here, never over the SOAP API.
// Must never be reachable from another machine, and never answer with a secret.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

func (w *world) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(out http.ResponseWriter, _ *http.Request) { reply(out, w.rows.all(), nil) })
	mux.HandleFunc("GET /rules", func(out http.ResponseWriter, _ *http.Request) { reply(out, w.rules.list(), nil) })
	mux.HandleFunc("POST /rules", w.addRule)
	mux.HandleFunc("DELETE /rules", func(out http.ResponseWriter, _ *http.Request) {
		w.rules.clear()
		reply(out, map[string]bool{"ok": true}, nil)
	})
	mux.HandleFunc("DELETE /rules/{id}", w.removeRule)
	mux.HandleFunc("GET /privileges", func(out http.ResponseWriter, _ *http.Request) {
		reply(out, map[string][]string{"deny": w.privileges.list()}, nil)
	})
	mux.HandleFunc("POST /privileges", w.setPrivileges)
	mux.HandleFunc("POST /session-timeout", w.setSessionTimeout)
	mux.HandleFunc("POST /sessions/expire", func(out http.ResponseWriter, _ *http.Request) {
		reply(out, map[string]int{"ended": w.endSessions("")}, nil)
	})
	mux.HandleFunc("POST /guest", w.setGuestByHand)
	mux.HandleFunc("POST /writes", w.hearWrites)
	mux.HandleFunc("POST /samples", w.setSampleSeconds)
	mux.HandleFunc("POST /power", w.powerByHand)
	mux.HandleFunc("POST /unregister", w.unregisterByHand)
	mux.HandleFunc("POST /snapshot", w.snapshotByHand)
	mux.HandleFunc("DELETE /snapshot", w.removeSnapshotsByHand)
	mux.HandleFunc("POST /consolidation", w.markConsolidation)
	mux.HandleFunc("POST /storage-vmotion", w.moveDiskByHand)
	mux.HandleFunc("POST /maintenance", w.maintenanceByHand)
	return mux
}

func reply(out http.ResponseWriter, value any, err error) {
	out.Header().Set("Content-Type", "application/json")
	if err != nil {
		out.WriteHeader(http.StatusBadRequest)
		value = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(out).Encode(value)
}

func read[T any](r *http.Request) (T, error) {
	var value T
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, fmt.Errorf("the request's JSON cannot be read: %w", err)
	}
	return value, nil
}

func (w *world) addRule(out http.ResponseWriter, r *http.Request) {
	rule, err := read[faultRule](r)
	id := 0
	if err == nil && rule.Method != "" {
		err = w.checkMethod(rule.Method)
	}
	if err == nil {
		id, err = w.rules.add(rule)
	}
	reply(out, map[string]int{"id": id}, err)
}

func (w *world) removeRule(out http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err == nil && !w.rules.remove(id) {
		err = fmt.Errorf("there is no rule %d; GET /rules lists them", id)
	}
	reply(out, map[string]bool{"ok": true}, err)
}

func (w *world) setPrivileges(out http.ResponseWriter, r *http.Request) {
	wanted, err := read[struct {
		Deny []string `json:"deny"`
	}](r)
	if err == nil {
		w.privileges.deny(wanted.Deny)
	}
	reply(out, map[string][]string{"deny": w.privileges.list()}, err)
}

func (w *world) setSessionTimeout(out http.ResponseWriter, r *http.Request) {
	wanted, err := read[struct {
		Seconds float64 `json:"seconds"`
	}](r)
	if err == nil {
		w.sessions.setIdle(time.Duration(wanted.Seconds * float64(time.Second)))
	}
	reply(out, map[string]float64{"seconds": wanted.Seconds}, err)
}

// handRequest is what the requests about one VM have in common.
type handRequest struct {
	VM      string `json:"vm"`
	Running bool   `json:"running"`
	IP      string `json:"ip"`
	State   string `json:"state"`
	Name    string `json:"name"`
	Needed  bool   `json:"needed"`
	From    string `json:"from"`
	To      string `json:"to"`
	Missing bool   `json:"missing"` // Tools are not installed, from now on
}

func (w *world) readHand(r *http.Request) (handRequest, machineRow, error) {
	request, err := read[handRequest](r)
	if err != nil {
		return request, machineRow{}, err
	}
	row, ok := w.rows.named(request.VM)
	if !ok {
		return request, row, fmt.Errorf("there is no VM %q; GET /state lists them", request.VM)
	}
	return request, row, nil
}

func (w *world) setGuestByHand(out http.ResponseWriter, r *http.Request) {
	request, row, err := w.readHand(r)
	if err == nil && request.Running && row.Power != "on" {
		err = fmt.Errorf("VM %q is %s, so no guest can run in it", row.Name, row.Power)
	}
	if err == nil {
		ip := request.IP
		if request.Missing {
			w.toolless.Store(row.self, true)
		}
		if !request.Running {
			ip = ""
		}
		w.setGuest(w.context(), row.self, request.Running, ip)
		row, _ = w.rows.get(row.self)
	}
	reply(out, row, err)
}

func (w *world) markConsolidation(out http.ResponseWriter, r *http.Request) {
	request, row, err := w.readHand(r)
	if err == nil {
		ctx := w.context()
		vm := w.machine(row.self)
		ctx.WithLock(vm, func() {
			ctx.Update(vm, []types.PropertyChange{{Name: "runtime.consolidationNeeded", Val: request.Needed}})
		})
	}
	reply(out, row, err)
}
