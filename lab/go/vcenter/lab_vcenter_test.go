// Starts the whole simulated vCenter in this process and gives each test a logged-in client of it.
// One rule: tests talk to it as Homeward does, over TLS and SOAP, and to its control door over HTTP.
// Must never use a fixed port or a path outside the test's own folder.
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

const testInventory = `{"vms":[
 {"name":"erp-db","folderPath":"prod/erp","cpus":2,"memoryMiB":4096,"firmware":"efi",
  "disks":[{"file":"erp-db/erp-db.vmdk","sizeBytes":8388608,"controller":0,"unit":0},{"file":"erp-db/erp-db_1.vmdk","sizeBytes":4194304,"controller":1,"unit":3}],
  "nics":[{"network":"VM Network","mac":"00:50:56:aa:bb:01"}],"host":0,"power":"off","extraConfig":{"homeward.test":"1"}},
 {"name":"mover","disks":[{"file":"mover/mover.vmdk","sizeBytes":4194304,"controller":0,"unit":0}],"controllers":["pvscsi","lsilogic"],
  "nics":[{"network":"VM Network"}],"host":1,"power":"on","extraConfig":{"disk.EnableUUID":"TRUE"}}]}`

type labVcenter struct {
	t       *testing.T
	ctx     context.Context
	world   *world
	control string
	sdk     *url.URL
	client  *govmomi.Client
	dir     string
	mu      sync.Mutex
	heard   []effect
}

func newLabVcenter(t *testing.T) *labVcenter {
	t.Helper()
	lab := &labVcenter{t: t, ctx: context.Background(), dir: t.TempDir()}
	o := options{
		listen: "127.0.0.1:0", user: "admin@lab", passwordFile: lab.file("password", []byte("pa:ss w0rd\n")),
		datastoreDir: filepath.Join(lab.dir, "ds"), datastoreName: "lab-ds",
		inventory: lab.file("inventory.json", []byte(testInventory)), audit: filepath.Join(lab.dir, "audit.jsonl"),
	}
	o.cert, o.key = lab.certificate()
	lab.must(os.MkdirAll(filepath.Join(o.datastoreDir, "erp-db"), 0o755))
	lab.must(os.WriteFile(lab.flat("erp-db/erp-db"), []byte("stale"), 0o644))
	witness := httptest.NewServer(http.HandlerFunc(lab.hear))
	t.Cleanup(witness.Close)
	o.effects = witness.URL
	w, server, err := start(o)
	lab.must(err)
	door := httptest.NewServer(w.control())
	lab.world, lab.control = w, door.URL
	t.Cleanup(func() { door.Close(); server.CloseClientConnections() })
	lab.sdk = &url.URL{Scheme: "https", Host: "localhost:" + server.URL.Port(), Path: "/sdk", User: url.UserPassword("admin@lab", "pa:ss w0rd")}
	lab.client, err = govmomi.NewClient(lab.ctx, lab.sdk, true)
	lab.must(err)
	return lab
}

func (l *labVcenter) hear(_ http.ResponseWriter, r *http.Request) {
	var e effect
	_ = json.NewDecoder(r.Body).Decode(&e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, e)
}

func (l *labVcenter) lastEffect() effect {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.heard) == 0 {
		return effect{}
	}
	return l.heard[len(l.heard)-1]
}

func (l *labVcenter) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *labVcenter) flat(name string) string {
	return filepath.Join(l.dir, "ds", name+"-flat.vmdk")
}

func (l *labVcenter) file(name string, text []byte) string {
	path := filepath.Join(l.dir, name)
	l.must(os.WriteFile(path, text, 0o600))
	return path
}

func (l *labVcenter) certificate() (string, string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	l.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	l.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	l.must(err)
	return l.file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		l.file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// ask talks to the control door and fails the test when it says no.
func (l *labVcenter) ask(method, path, body string, into any) {
	l.t.Helper()
	status, text := l.knock(method, path, body)
	if status != http.StatusOK {
		l.t.Fatalf("%s %s: %s", method, path, text)
	}
	if into != nil {
		l.must(json.Unmarshal([]byte(text), into))
	}
}

// refuse talks to the control door, fails the test when it says yes, and answers what it said instead.
func (l *labVcenter) refuse(method, path, body string) (int, string) {
	l.t.Helper()
	status, text := l.knock(method, path, body)
	if status == http.StatusOK {
		l.t.Fatalf("%s %s %s was taken: %s", method, path, body, text)
	}
	return status, text
}

func (l *labVcenter) knock(method, path, body string) (int, string) {
	l.t.Helper()
	request, _ := http.NewRequest(method, l.control+path, bytes.NewReader([]byte(body)))
	answer, err := http.DefaultClient.Do(request)
	l.must(err)
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

func (l *labVcenter) vm(name string) *object.VirtualMachine {
	l.t.Helper()
	list, err := find.NewFinder(l.client.Client).VirtualMachineList(l.ctx, "/DC0/vm/...")
	l.must(err)
	for _, vm := range list {
		if vm.Name() == name {
			return vm
		}
	}
	l.t.Fatalf("no VM %s", name)
	return nil
}

func (l *labVcenter) row(name string) machineRow {
	row, _ := l.world.rows.named(name)
	return row
}

// waitFor waits for a task and answers its error.
func waitFor(ctx context.Context, task *object.Task, err error) error {
	if err != nil {
		return err
	}
	return task.Wait(ctx)
}

func (l *labVcenter) change(name string, operation types.VirtualDeviceConfigSpecOperation, device types.BaseVirtualDevice) error {
	return l.reconfigure(name, types.VirtualMachineConfigSpec{DeviceChange: []types.BaseVirtualDeviceConfigSpec{
		&types.VirtualDeviceConfigSpec{Operation: operation, Device: device},
	}})
}

func (l *labVcenter) reconfigure(name string, spec types.VirtualMachineConfigSpec) error {
	task, err := l.vm(name).Reconfigure(l.ctx, spec)
	return waitFor(l.ctx, task, err)
}

func (l *labVcenter) power(name string, on bool) error {
	vm := l.vm(name)
	if on {
		task, err := vm.PowerOn(l.ctx)
		return waitFor(l.ctx, task, err)
	}
	task, err := vm.PowerOff(l.ctx)
	return waitFor(l.ctx, task, err)
}

// refused fails the test unless err is the wanted kind of fault.
func refused[T any](t *testing.T, err error) *T {
	t.Helper()
	var wanted *T
	if err == nil {
		t.Fatalf("it was accepted; wanted %T", wanted)
	}
	if _, ok := fault.As(err, &wanted); !ok {
		t.Fatalf("wanted %T, got %v", wanted, err)
	}
	return wanted
}

func diskOf(file string, controller int32) *types.VirtualDisk {
	disk := &types.VirtualDisk{}
	disk.Key, disk.ControllerKey = -1, controller
	disk.Backing = &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: file}, DiskMode: "independent_persistent",
	}
	return disk
}

func keyed(key int32) *types.VirtualDisk {
	disk := &types.VirtualDisk{}
	disk.Key = key
	return disk
}
