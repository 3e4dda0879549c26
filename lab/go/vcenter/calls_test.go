// Calls: sessions, privileges, property paths, faults on demand, Tools.
// One rule: each test begins with its own vCenter and states one fact.
// Must never wait longer than the fact needs.
package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func TestAWrongPasswordIsRefused(t *testing.T) {
	lab := newLabVcenter(t)
	wrong := *lab.sdk
	wrong.User = url.UserPassword("admin@lab", "other")
	_, err := govmomi.NewClient(lab.ctx, &wrong, true)
	refused[types.InvalidLogin](t, err)
}

func TestAnUnknownPropertyPathIsAFault(t *testing.T) {
	lab := newLabVcenter(t)
	var vm mo.VirtualMachine
	collector := property.DefaultCollector(lab.client.Client)
	ref := lab.vm("erp-db").Reference()
	lab.must(collector.RetrieveOne(lab.ctx, ref, []string{"config.hardware.device", "runtime.powerState", `config.extraConfig["homeward.test"]`, "snapshot", "guest.ipAddress"}, &vm))
	refused[types.InvalidProperty](t, collector.RetrieveOne(lab.ctx, ref, []string{"config.hardware.devices"}, &vm))
}

func TestEndedSessionsAreNotAuthenticated(t *testing.T) {
	lab := newLabVcenter(t)
	vm := lab.vm("erp-db")
	lab.ask("POST", "/sessions/expire", "", nil)
	_, err := vm.PowerOn(lab.ctx)
	refused[types.NotAuthenticated](t, err)
	answer, err := methods.RetrievePropertiesEx(lab.ctx, lab.client.Client, &types.RetrievePropertiesEx{
		This: lab.client.ServiceContent.PropertyCollector,
		SpecSet: []types.PropertyFilterSpec{{
			PropSet: []types.PropertySpec{{Type: "VirtualMachine", PathSet: []string{"name"}}}, ObjectSet: []types.ObjectSpec{{Obj: vm.Reference()}},
		}},
	})
	lab.must(err)
	if set := answer.Returnval.Objects[0]; len(set.PropSet) != 0 || len(set.MissingSet) != 1 {
		t.Fatalf("%+v", set)
	}
}

func TestAnIdleSessionEnds(t *testing.T) {
	lab := newLabVcenter(t)
	vm := lab.vm("erp-db")
	lab.ask("POST", "/session-timeout", `{"seconds":0.05}`, nil)
	time.Sleep(120 * time.Millisecond)
	_, err := vm.PowerOn(lab.ctx)
	refused[types.NotAuthenticated](t, err)
}

func TestADeniedPrivilegeIsMissingAndItsCallRefused(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/privileges", `{"deny":["VirtualMachine.Interact.PowerOn","VirtualMachine.Config.RemoveDisk"]}`, nil)
	_, err := lab.vm("erp-db").PowerOn(lab.ctx)
	if got := refused[types.NoPermission](t, err).PrivilegeId; got != "VirtualMachine.Interact.PowerOn" {
		t.Fatal(got)
	}
	refused[types.NoPermission](t, lab.change("erp-db", remove, keyed(2000)))
	answer, err := methods.HasPrivilegeOnEntities(lab.ctx, lab.client.Client, &types.HasPrivilegeOnEntities{
		This: *lab.client.ServiceContent.AuthorizationManager, Entity: []types.ManagedObjectReference{lab.vm("erp-db").Reference()},
		SessionId: "any", PrivId: []string{"VirtualMachine.Interact.PowerOn", "System.View"},
	})
	lab.must(err)
	if got := answer.Returnval[0].PrivAvailability; got[0].IsGranted || !got[1].IsGranted {
		t.Fatalf("%+v", got)
	}
}

func TestAStaleChangeVersionIsRefused(t *testing.T) {
	lab := newLabVcenter(t)
	refused[types.ConcurrentAccess](t, lab.reconfigure("erp-db", types.VirtualMachineConfigSpec{ChangeVersion: "1", Annotation: "x"}))
}

func TestATakenAwayRuleDelaysNobodyAnyMore(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/rules", `{"method":"PowerOnVM_Task","where":"task","delayMs":60000}`, nil)
	begun, powered := time.Now(), make(chan error, 1)
	go func() { powered <- lab.power("erp-db", true) }()
	for rules := []faultRule{{}}; rules[0].Hits == 0; time.Sleep(10 * time.Millisecond) {
		lab.ask("GET", "/rules", "", &rules)
	}
	lab.ask("DELETE", "/rules", "", nil)
	lab.must(<-powered)
	if took := time.Since(begun); took > 20*time.Second {
		t.Fatalf("it took %s", took)
	}
}

func TestARuleFailsTheTaskOnceAndThenStops(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/rules", `{"method":"PowerOnVM_Task","objectName":"erp-db","where":"task","fault":"HostCommunication"}`, nil)
	refused[types.HostCommunication](t, lab.power("erp-db", true))
	lab.must(lab.power("erp-db", true))
	var rules []faultRule
	lab.ask("GET", "/rules", "", &rules)
	if rules[0].Hits != 1 || lab.lastEffect().Op != "powerOn" {
		t.Fatalf("%+v, %+v", rules, lab.lastEffect())
	}
}

func TestASecondChangeDuringATaskIsRefusedWhileReadsGoOn(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/rules", `{"method":"ReconfigVM_Task","where":"task","delayMs":600}`, nil)
	vm := lab.vm("erp-db")
	task, err := vm.Reconfigure(lab.ctx, types.VirtualMachineConfigSpec{Annotation: "one"})
	lab.must(err)
	begun := time.Now()
	_, err = vm.PowerState(lab.ctx)
	if lab.must(err); time.Since(begun) > 400*time.Millisecond {
		t.Fatal("the read waited for the task")
	}
	_, err = vm.PowerOn(lab.ctx)
	refused[types.TaskInProgress](t, err)
	lab.must(task.Wait(lab.ctx))
	lab.must(lab.power("erp-db", true))
}

func TestADroppedReplyLeavesItsEffect(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/rules", `{"method":"PowerOnVM_Task","action":"dropAfter"}`, nil)
	if _, err := lab.vm("erp-db").PowerOn(lab.ctx); err == nil {
		t.Fatal("the reply arrived")
	}
	for i := 0; lab.row("erp-db").Power != "on"; i++ {
		if i > 100 {
			t.Fatal("the effect is missing")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestARuleOnAMethodThatNobodyAnswersIsRefusedWithTheNamesThereAre(t *testing.T) {
	lab := newLabVcenter(t)
	for _, known := range []string{"*", "ReconfigVM", "ReconfigVM_Task", "FindByInventoryPath", "Login", "QueryChangedDiskAreas", "DestroyView", "RemoveSnapshot_Task", "CreateVirtualDisk_Task", "HasPrivilegeOnEntities", "WaitForUpdatesEx", "CancelTask"} {
		lab.ask("POST", "/rules", `{"method":"`+known+`","fault":"HostCommunication"}`, nil)
	}
	for _, wrong := range []string{"ReconfgVM_Task", "VirtualMachineConfigSpec", "powerOn", "Reference"} {
		status, text := lab.refuse("POST", "/rules", `{"method":"`+wrong+`","fault":"HostCommunication"}`)
		if status != http.StatusBadRequest || !strings.Contains(text, "There are: ") || !strings.Contains(text, "PowerOnVM_Task") {
			t.Fatalf("%s: %d %s", wrong, status, text)
		}
	}
	if _, text := lab.refuse("POST", "/rules", `{"method":"ReconfgVM_Task","delayMs":1}`); !strings.Contains(text, `Did you mean \"ReconfigVM_Task\"?`) {
		t.Fatal(text)
	}
}

func TestToolsRunOnlyAfterTheGuestHasSaidSo(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.power("erp-db", true))
	refused[types.ToolsUnavailable](t, lab.vm("erp-db").ShutdownGuest(lab.ctx))
	lab.ask("POST", "/guest", `{"vm":"erp-db","running":true,"ip":"10.1.2.3"}`, nil)
	var vm mo.VirtualMachine
	paths := []string{"guest", "guestHeartbeatStatus", "summary.guest"}
	lab.must(lab.vm("erp-db").Properties(lab.ctx, lab.vm("erp-db").Reference(), paths, &vm))
	if vm.Guest.ToolsRunningStatus != "guestToolsRunning" || vm.Guest.IpAddress != "10.1.2.3" || vm.GuestHeartbeatStatus != "green" || vm.Guest.GuestState != "running" {
		t.Fatalf("%+v %s", vm.Guest, vm.GuestHeartbeatStatus)
	}
	lab.must(lab.power("erp-db", false))
	if row := lab.row("erp-db"); row.Tools != "guestToolsNotRunning" || row.IP != "" {
		t.Fatalf("%+v", row)
	}
}

func TestAMachineWithoutToolsSaysNothingOfItsGuest(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.power("erp-db", true))
	lab.ask("POST", "/guest", `{"vm":"erp-db","missing":true}`, nil)
	lab.ask("POST", "/guest", `{"vm":"erp-db","running":true,"ip":"10.1.2.3"}`, nil)
	var vm mo.VirtualMachine
	lab.must(lab.vm("erp-db").Properties(lab.ctx, lab.vm("erp-db").Reference(), []string{"guest"}, &vm))
	if vm.Guest.ToolsVersionStatus2 != "guestToolsNotInstalled" || vm.Guest.ToolsRunningStatus != "guestToolsNotRunning" || vm.Guest.IpAddress != "" {
		t.Fatalf("%+v", vm.Guest)
	}
}

func TestAnOutsideActorsPowerIsHeardByTheWitness(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/power", `{"vm":"erp-db","state":"on"}`, nil)
	if got := lab.lastEffect(); got.Op != "powerOn" || got.VM != "erp-db" {
		t.Fatalf("%+v", got)
	}
}

func TestTheAuditHoldsNoPasswordAndNoSessionKey(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.power("erp-db", true))
	text, err := os.ReadFile(filepath.Join(lab.dir, "audit.jsonl"))
	lab.must(err)
	if strings.Contains(string(text), "pa:ss") || strings.Contains(string(text), "session[") || !strings.Contains(string(text), `"method":"Login"`) || !strings.Contains(string(text), `"user":"admin@lab"`) {
		t.Fatal(string(text))
	}
}

func TestConsolidationClearsItsMark(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/consolidation", `{"vm":"erp-db","needed":true}`, nil)
	task, err := methods.ConsolidateVMDisks_Task(lab.ctx, lab.client.Client, &types.ConsolidateVMDisks_Task{This: lab.vm("erp-db").Reference()})
	lab.must(err)
	lab.must(object.NewTask(lab.client.Client, task.Returnval).Wait(lab.ctx))
	var vm mo.VirtualMachine
	lab.must(lab.vm("erp-db").Properties(lab.ctx, lab.vm("erp-db").Reference(), []string{"runtime.consolidationNeeded"}, &vm))
	if vm.Runtime.ConsolidationNeeded {
		t.Fatal("still needed")
	}
}
