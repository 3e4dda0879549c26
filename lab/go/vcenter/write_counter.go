// The counter `virtualDisk.write.average`: what the guest of a running VM writes to each of its disks, as QueryPerf tells it.
// The lab's guests write the flat files from outside and say here how much (POST /writes).
// One rule: real-time samples as documented: one for each 20 seconds, kept for an hour, of the VM's present power-on alone.
// Must never make a number up, nor tell a sample before its time is over.
package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// realTime is the interval by which a client asks for real-time samples.
const realTime = 20

const samplesKept = time.Hour

// PerfMetricIntSeries is the API's type of this name. The simulator's own leaves zeros out of its XML, which would move all
// values behind them to an earlier sample.
type PerfMetricIntSeries struct {
	types.PerfMetricSeries
	Value []string `xml:"value"`
}

// diskWrites is what was written to each disk, by the second; disks by their instance, as in `scsi0:1`.
type diskWrites map[string]map[int64]int64

type writeLedger struct {
	mu      sync.Mutex
	seconds int64 // of one sample; shorter than the documented 20 only where a test cannot wait
	running map[types.ManagedObjectReference]*writesOfRun
}

type writesOfRun struct {
	began time.Time
	disks diskWrites
}

func newWriteLedger() *writeLedger {
	return &writeLedger{seconds: realTime, running: map[types.ManagedObjectReference]*writesOfRun{}}
}

// begin starts the samples of a VM that gets power; those of an earlier power-on are gone.
func (l *writeLedger) begin(vm types.ManagedObjectReference) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[vm] = &writesOfRun{began: time.Now(), disks: diskWrites{}}
}

func (l *writeLedger) end(vm types.ManagedObjectReference) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, vm)
}

// add answers whether the VM runs; what comes from a guest whose VM has lost its power is not counted.
func (l *writeLedger) add(vm types.ManagedObjectReference, instance string, bytes int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	run, ok := l.running[vm]
	if !ok {
		return false
	}
	if run.disks[instance] == nil {
		run.disks[instance] = map[int64]int64{}
	}
	now := time.Now()
	run.disks[instance][now.Unix()] += bytes
	for second := range run.disks[instance] {
		if now.Sub(time.Unix(second, 0)) > samplesKept+time.Minute {
			delete(run.disks[instance], second)
		}
	}
	return true
}

func (l *writeLedger) setSeconds(seconds int64) error {
	if seconds < 1 || seconds > realTime {
		return fmt.Errorf(`"seconds" is %d; a sample is 1 to %d seconds long`, seconds, realTime)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seconds = seconds
	return nil
}

// samples are the moments at which the VM's samples end, after start and up to now.
func (l *writeLedger) samples(run *writesOfRun, start *time.Time) []int64 {
	now := time.Now()
	from := run.began
	if oldest := now.Add(-samplesKept); oldest.After(from) {
		from = oldest
	}
	if start != nil && start.After(from) {
		from = *start
	}
	var ends []int64
	for end := (from.Unix()/l.seconds + 1) * l.seconds; end <= now.Unix(); end += l.seconds {
		ends = append(ends, end)
	}
	return ends
}

// metric answers one query. A VM that is off has no real-time samples.
func (l *writeLedger) metric(spec types.PerfQuerySpec, instances []string) *types.PerfEntityMetric {
	l.mu.Lock()
	defer l.mu.Unlock()
	answer := &types.PerfEntityMetric{PerfEntityMetricBase: types.PerfEntityMetricBase{Entity: spec.Entity}}
	run, ok := l.running[spec.Entity]
	if !ok || spec.IntervalId != realTime {
		return answer
	}
	ends := l.samples(run, spec.StartTime)
	for _, end := range ends {
		answer.SampleInfo = append(answer.SampleInfo, types.PerfSampleInfo{Timestamp: time.Unix(end, 0).UTC(), Interval: int32(l.seconds)})
	}
	for _, id := range spec.MetricId {
		for _, instance := range instances {
			if len(ends) == 0 || (id.Instance != "*" && id.Instance != instance) {
				continue
			}
			series := &PerfMetricIntSeries{}
			series.Id = types.PerfMetricId{CounterId: id.CounterId, Instance: instance}
			for _, end := range ends {
				rate := run.disks.bytesOf(instance, end-l.seconds, end) / 1024 / l.seconds
				series.Value = append(series.Value, strconv.FormatInt(rate, 10))
			}
			answer.Value = append(answer.Value, series)
		}
	}
	return answer
}

func (d diskWrites) bytesOf(instance string, from, to int64) int64 {
	sum := int64(0)
	for second := from; second < to; second++ {
		sum += d[instance][second]
	}
	return sum
}

// writesDesk stands in for the PerformanceManager.
type writesDesk struct {
	*simulator.PerformanceManager
	world   *world
	counter int32
}

func newWritesDesk(w *world, stock *simulator.PerformanceManager) *writesDesk {
	desk := &writesDesk{PerformanceManager: stock, world: w}
	for _, one := range stock.PerfCounter {
		if one.GroupInfo.GetElementDescription().Key == "virtualDisk" && one.NameInfo.GetElementDescription().Key == "write" {
			desk.counter = one.Key
		}
	}
	return desk
}

// QueryPerf leaves every other counter to the simulator, whose numbers are made up.
func (d *writesDesk) QueryPerf(ctx *simulator.Context, request *types.QueryPerf) soap.HasFault {
	body := &methods.QueryPerfBody{Res: &types.QueryPerfResponse{}}
	for _, spec := range request.QuerySpec {
		for _, id := range spec.MetricId {
			if id.CounterId != d.counter {
				return d.PerformanceManager.QueryPerf(ctx, request)
			}
		}
		row, ok := d.world.rows.get(spec.Entity)
		if !ok {
			return &methods.QueryPerfBody{Fault_: simulator.Fault("", &types.ManagedObjectNotFound{Obj: spec.Entity})}
		}
		body.Res.Returnval = append(body.Res.Returnval, d.world.writes.metric(spec, row.instances()))
	}
	return body
}

// instances are the counter's names of the VM's disks.
func (r machineRow) instances() []string {
	var names []string
	for _, disk := range r.Disks {
		names = append(names, disk.instance())
	}
	return names
}

// instance is `scsi0:1` for unit 1 of the first SCSI controller; their keys begin at 1000.
func (d diskRow) instance() string { return fmt.Sprintf("scsi%d:%d", d.ControllerKey-1000, d.Unit) }

type writesReport struct {
	VM    string `json:"vm"`
	Disks []struct {
		Path  string `json:"path"`
		Bytes int64  `json:"bytes"`
	} `json:"disks"`
}

// hearWrites takes what a guest has written to its disks' files since it last said so.
func (w *world) hearWrites(out http.ResponseWriter, r *http.Request) {
	report, err := read[writesReport](r)
	row, ok := w.rows.named(report.VM)
	if err == nil && !ok {
		err = fmt.Errorf("there is no VM %q; GET /state lists them", report.VM)
	}
	counted := false
	for _, written := range report.Disks {
		for _, disk := range row.Disks {
			if err == nil && written.Bytes > 0 && (disk.Path == written.Path || disk.Redo == written.Path) {
				counted = w.writes.add(row.self, disk.instance(), written.Bytes) || counted
			}
		}
	}
	reply(out, map[string]bool{"counted": counted}, err)
}

func (w *world) setSampleSeconds(out http.ResponseWriter, r *http.Request) {
	wanted, err := read[struct {
		Seconds int64 `json:"seconds"`
	}](r)
	if err == nil {
		err = w.writes.setSeconds(wanted.Seconds)
	}
	reply(out, map[string]int64{"seconds": wanted.Seconds}, err)
}
