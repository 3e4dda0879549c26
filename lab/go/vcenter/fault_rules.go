// Faults on demand: a list of rules, each of which answers some calls or tasks with a fault, a delay, or a broken connection.
// One rule: a rule fires only for what it names, and counts every time it fired.
// Must never fire before its `skip` matches have passed, nor more often than its `count`; taken away it delays nobody any more.
package main

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// faultRule is what POST /rules takes. Method "*" means every method; count 0 means once, -1 means always.
type faultRule struct {
	ID         int    `json:"id"`
	Method     string `json:"method"`
	ObjectName string `json:"objectName,omitempty"`
	Skip       int    `json:"skip,omitempty"`
	Count      int    `json:"count,omitempty"`
	Fault      string `json:"fault,omitempty"`
	Message    string `json:"message,omitempty"`
	Where      string `json:"where,omitempty"`
	DelayMs    int    `json:"delayMs,omitempty"`
	Action     string `json:"action,omitempty"`
	Seen       int    `json:"seen"`
	Hits       int    `json:"hits"`
	gone       chan struct{}
}

type ruleBook struct {
	mu    sync.Mutex
	last  int
	rules []*faultRule
}

func (r *faultRule) check() error {
	if r.Method == "" {
		return fmt.Errorf(`a rule needs "method", for example "PowerOnVM_Task" or "*"`)
	}
	if r.Where == "" {
		r.Where = "call"
	}
	if r.Where != "call" && r.Where != "task" {
		return fmt.Errorf(`"where" is %q; use "call" or "task"`, r.Where)
	}
	switch r.Action {
	case "", "drop", "dropAfter", "hang":
	default:
		return fmt.Errorf(`"action" is %q; use "drop", "dropAfter" or "hang", or leave it out`, r.Action)
	}
	if r.Action != "" && r.Where == "task" {
		return fmt.Errorf(`"action" breaks a connection, so it needs "where":"call"`)
	}
	if r.Fault == "" && r.Action == "" && r.DelayMs == 0 {
		return fmt.Errorf(`a rule needs "fault", "delayMs" or "action"`)
	}
	if r.Fault != "" {
		if _, err := newFault(r.Fault, r.Message); err != nil {
			return err
		}
	}
	if r.Count == 0 {
		r.Count = 1
	}
	return nil
}

func (b *ruleBook) add(rule faultRule) (int, error) {
	if err := rule.check(); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	rule.ID, rule.Seen, rule.Hits, rule.gone = b.last, 0, 0, make(chan struct{})
	b.rules = append(b.rules, &rule)
	return rule.ID, nil
}

func (b *ruleBook) remove(id int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, rule := range b.rules {
		if rule.ID == id {
			close(rule.gone)
			b.rules = append(b.rules[:i:i], b.rules[i+1:]...)
			return true
		}
	}
	return false
}

func (b *ruleBook) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rule := range b.rules {
		close(rule.gone)
	}
	b.rules = nil
}

func (b *ruleBook) list() []faultRule {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []faultRule{}
	for _, rule := range b.rules {
		out = append(out, *rule)
	}
	return out
}

// take finds the first rule that fires here and counts the hit. `broken` chooses rules with or without a connection action.
func (b *ruleBook) take(where, method, subject string, broken bool) *faultRule {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rule := range b.rules {
		if rule.Where != where || (rule.Action != "") != broken || !rule.names(method, subject) {
			continue
		}
		rule.Seen++
		if rule.Seen <= rule.Skip || (rule.Count > 0 && rule.Hits >= rule.Count) {
			continue
		}
		rule.Hits++
		fired := *rule
		return &fired
	}
	return nil
}

// wait delays what met the rule, until the rule is taken away at the longest.
func (r *faultRule) wait() {
	timer := time.NewTimer(time.Duration(r.DelayMs) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.gone:
	}
}

// names compares without regard to the `_Task` ending. A subject is a VM's name, or a path on the datastore, which may be given in part.
func (r *faultRule) names(method, subject string) bool {
	if r.Method != "*" && strings.TrimSuffix(r.Method, "_Task") != strings.TrimSuffix(method, "_Task") {
		return false
	}
	if r.ObjectName == "" || r.ObjectName == "*" || r.ObjectName == subject {
		return true
	}
	return strings.HasPrefix(subject, "[") && strings.Contains(subject, r.ObjectName)
}

var faultTypes = types.TypeFunc()

// newFault builds any fault of the API by its name.
func newFault(name, message string) (types.BaseMethodFault, error) {
	kind, ok := faultTypes(name)
	if !ok || kind.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%q is no fault of the vSphere API; use a name such as TaskInProgress, FileLocked, NoDiskSpace", name)
	}
	value := reflect.New(kind)
	fault, ok := value.Interface().(types.BaseMethodFault)
	if !ok {
		return nil, fmt.Errorf("%q is a type of the vSphere API but no fault", name)
	}
	if message != "" {
		fault.GetMethodFault().FaultMessage = []types.LocalizableMessage{{Key: "lab.rule", Message: message}}
	}
	if generic, ok := fault.(*types.GenericVmConfigFault); ok {
		generic.Reason = message
	}
	return fault, nil
}
