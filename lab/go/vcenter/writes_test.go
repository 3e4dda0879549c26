// What QueryPerf answers of a VM's writes.
// One rule: the numbers are those that a guest has said at the control door, and none else.
package main

import (
	"testing"
	"time"

	"github.com/vmware/govmomi/performance"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

func (l *labVcenter) written(name string, start *time.Time) *types.PerfEntityMetric {
	l.t.Helper()
	counters, err := performance.NewManager(l.client.Client).CounterInfoByName(l.ctx)
	l.must(err)
	spec := types.PerfQuerySpec{
		Entity: l.vm(name).Reference(), StartTime: start, IntervalId: realTime,
		MetricId: []types.PerfMetricId{{CounterId: counters["virtualDisk.write.average"].Key, Instance: "*"}},
	}
	answer, err := methods.QueryPerf(l.ctx, l.client.Client, &types.QueryPerf{This: *l.client.ServiceContent.PerfManager, QuerySpec: []types.PerfQuerySpec{spec}})
	l.must(err)
	return answer.Returnval[0].(*types.PerfEntityMetric)
}

func kilobytesOf(metric *types.PerfEntityMetric, instance string) (sum int64) {
	for _, one := range metric.Value {
		series := one.(*types.PerfMetricIntSeries)
		if len(series.Value) != len(metric.SampleInfo) {
			return -1
		}
		if series.Id.Instance == instance {
			for at, value := range series.Value {
				sum += value * int64(metric.SampleInfo[at].Interval)
			}
		}
	}
	return sum
}

func TestWhatAGuestWroteIsToldByDiskInSamplesOfThisPowerOn(t *testing.T) {
	lab := newLabVcenter(t)
	lab.ask("POST", "/samples", `{"seconds":1}`, nil)
	lab.must(lab.power("erp-db", true))
	lab.ask("POST", "/writes", `{"vm":"erp-db","disks":[{"path":"`+lab.flat("erp-db/erp-db")+`","bytes":8192},{"path":"`+lab.flat("erp-db/erp-db_1")+`","bytes":4096}]}`, nil)
	var seen *types.PerfEntityMetric
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if seen = lab.written("erp-db", nil); kilobytesOf(seen, "scsi0:0") > 0 {
			break
		}
	}
	if kilobytesOf(seen, "scsi0:0") != 8 || kilobytesOf(seen, "scsi1:3") != 4 {
		t.Fatalf("%+v", seen)
	}
	last := seen.SampleInfo[len(seen.SampleInfo)-1].Timestamp
	if later := lab.written("erp-db", &last); kilobytesOf(later, "scsi0:0") != 0 {
		t.Fatalf("a sample was told that is not after the start: %+v", later)
	}
	lab.must(lab.power("erp-db", false))
	if off := lab.written("erp-db", nil); len(off.SampleInfo) != 0 {
		t.Fatalf("%+v", off)
	}
	lab.must(lab.power("erp-db", true))
	if again := lab.written("erp-db", nil); kilobytesOf(again, "scsi0:0") != 0 {
		t.Fatalf("%+v", again)
	}
}

func TestNoSampleIsToldBeforeItsTwentySecondsAreOver(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.power("erp-db", true))
	if seen := lab.written("erp-db", nil); len(seen.SampleInfo) > 1 {
		t.Fatalf("%+v", seen.SampleInfo)
	}
	if _, text := lab.refuse("POST", "/samples", `{"seconds":21}`); text == "" {
		t.Fatal("nothing was said")
	}
}

func TestWritesAreNotToldWithoutTheRightToRead(t *testing.T) {
	lab := newLabVcenter(t)
	lab.must(lab.power("erp-db", true))
	lab.ask("POST", "/privileges", `{"deny":["System.Read"]}`, nil)
	_, err := methods.QueryPerf(lab.ctx, lab.client.Client, &types.QueryPerf{This: *lab.client.ServiceContent.PerfManager, QuerySpec: []types.PerfQuerySpec{{Entity: types.ManagedObjectReference{Type: "VirtualMachine", Value: lab.row("erp-db").Ref}}}})
	refused[types.NoPermission](t, err)
}
