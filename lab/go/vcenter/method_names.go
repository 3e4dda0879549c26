// Which methods of the vSphere API this vCenter answers, so that a fault rule cannot name one that is never called.
// One rule: the names come from the objects that answer the calls, never from a list beside them.
// Must never refuse a method that a client could call.
package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
)

// onDemand are the kinds of objects that stand in no inventory before a client makes one.
var onDemand = []any{
	&machineView{VirtualMachine: &simulator.VirtualMachine{}}, &simulator.VirtualMachineSnapshot{}, &simulator.Task{},
	&simulator.PropertyFilter{}, &simulator.ContainerView{}, &simulator.ListView{}, &simulator.HttpNfcLease{},
	&simulator.EventHistoryCollector{}, &simulator.TaskHistoryCollector{},
}

// methodNames lists all methods as calls name them: `PowerOnVM_Task`, `RetrievePropertiesEx`.
func (w *world) methodNames() []string {
	names := map[string]bool{}
	add := func(object any) {
		kind := reflect.TypeOf(object)
		for i := range kind.NumMethod() {
			if name := callName(kind.Method(i).Name); name != "" {
				names[name] = true
			}
		}
	}
	for _, object := range w.registry().AllReference("") {
		add(object)
	}
	for _, object := range onDemand {
		add(object)
	}
	sorted := []string{}
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	return sorted
}

// callName turns the simulator's name of a method into the API's; empty when it is none of the API's.
// Every method of the API has a type of its name, and one for what it is asked with.
func callName(method string) string {
	bare := strings.TrimSuffix(method, "Task")
	for _, one := range [][2]string{{bare + "_Task", bare}, {method, method}} {
		_, call := faultTypes(one[0])
		_, request := faultTypes(one[1] + "RequestType")
		if call && request {
			return one[0]
		}
	}
	return ""
}

// checkMethod refuses a rule that could never fire, and names what was probably meant.
func (w *world) checkMethod(method string) error {
	bare := strings.TrimSuffix(method, "_Task")
	names := w.methodNames()
	if method == "*" || slices.ContainsFunc(names, func(name string) bool { return strings.TrimSuffix(name, "_Task") == bare }) {
		return nil
	}
	meant := ""
	if near := nearest(method, names); near != "" {
		meant = fmt.Sprintf(" Did you mean %q?", near)
	}
	return fmt.Errorf("no method is called %q.%s There are: %s", method, meant, strings.Join(names, ", "))
}

// nearest is the name that a slip of the finger away from word would be, if there is one.
func nearest(word string, names []string) string {
	best, least := "", len(word)/3+1
	for _, name := range names {
		if away := distance(strings.ToLower(word), strings.ToLower(name)); away < least {
			best, least = name, away
		}
	}
	return best
}

// distance counts the letters to add, drop or change to turn one word into the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
