// The lab's vCenter: govmomi's simulator, made to behave like the real one where Homeward depends on it.
// It says `{"sdk":…,"control":…,"datacenter":…}` in one line on stdout when it is ready, and everything else on stderr.
// One rule: it lives exactly as long as the process that holds its stdin open.
// Must never listen beyond the loopback interface, nor leave a file behind outside the datastore's folder.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
)

type options struct {
	listen, cert, key, user, passwordFile string
	datastoreDir, datastoreName           string
	inventory, effects, audit, delays     string
	guestUser, guestPasswordFile          string
	parent                                int
}

func readOptions() options {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "loopback address of the SOAP endpoint")
	flag.StringVar(&o.cert, "cert", "", "PEM file of the server's certificate")
	flag.StringVar(&o.key, "key", "", "PEM file of its private key")
	flag.StringVar(&o.user, "user", "administrator@vsphere.local", "the one user who may log in")
	flag.StringVar(&o.passwordFile, "password-file", "", "file with that user's password")
	flag.StringVar(&o.guestUser, "guest-user", "", "the one user whom the guests let in; without it they let in nobody")
	flag.StringVar(&o.guestPasswordFile, "guest-password-file", "", "file with that user's password")
	flag.StringVar(&o.datastoreDir, "datastore-dir", "", "existing folder that becomes the datastore")
	flag.StringVar(&o.datastoreName, "datastore-name", "lab-ds", "name of the datastore")
	flag.StringVar(&o.inventory, "inventory", "", "JSON file with the VMs to begin with")
	flag.StringVar(&o.effects, "effects", "", "URL that hears of each change before its task is done")
	flag.StringVar(&o.audit, "audit", "", "file that gets one line of JSON for each call and task")
	flag.StringVar(&o.delays, "method-delay", "", "delays by task or method in milliseconds, as in PowerOn:300,FindByUuid:50")
	flag.IntVar(&o.parent, "parent-pid", 0, "end when this process has ended")
	flag.Parse()
	return o
}

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if err := run(readOptions()); err != nil {
		fmt.Fprintf(os.Stderr, "vcenter: %v\n", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ended := endOfLife(o.parent)
	w, server, err := start(o)
	if err != nil {
		return err
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(door, w.control()) }()
	ready, _ := json.Marshal(map[string]string{
		"sdk":        "https://localhost:" + server.URL.Port() + "/sdk",
		"control":    "http://" + door.Addr().String(),
		"datacenter": "DC0",
	})
	fmt.Println(string(ready))
	log.Printf("ending: %s", <-ended)
	w.guests.end(nil)
	return nil
}

func start(o options) (*world, *simulator.Server, error) {
	host, _, err := net.SplitHostPort(o.listen)
	if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return nil, nil, fmt.Errorf("-listen %q: give a loopback address such as 127.0.0.1:0", o.listen)
	}
	certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, nil, fmt.Errorf("-cert and -key: %w", err)
	}
	password, err := os.ReadFile(o.passwordFile)
	if err != nil {
		return nil, nil, fmt.Errorf("-password-file: %w", err)
	}
	dir, err := filepath.Abs(o.datastoreDir)
	if err != nil || o.datastoreDir == "" {
		return nil, nil, fmt.Errorf("-datastore-dir: give an existing folder")
	}
	inventory, err := readInventory(o.inventory)
	if err != nil {
		return nil, nil, fmt.Errorf("-inventory: %w", err)
	}
	audit, err := openAudit(o.audit)
	if err != nil {
		return nil, nil, fmt.Errorf("-audit: %w", err)
	}
	w, err := newWorld(diskFiles{datastore: o.datastoreName, dir: dir}, newEffectPoster(""), audit)
	if err != nil {
		return nil, nil, err
	}
	if o.guestUser != "" {
		secret, err := os.ReadFile(o.guestPasswordFile)
		if err != nil {
			return nil, nil, fmt.Errorf("-guest-password-file: %w", err)
		}
		w.guests.login = guestLogin{user: o.guestUser, password: strings.TrimRight(string(secret), "\r\n")}
	}
	server, err := w.open(o, inventory, url.UserPassword(o.user, strings.TrimRight(string(password), "\r\n")), certificate)
	return w, server, err
}

func (w *world) open(o options, inventory inventoryFile, user *url.Userinfo, certificate tls.Certificate) (*simulator.Server, error) {
	if err := w.build(inventory); err != nil {
		return nil, err
	}
	w.effects.url = o.effects // The witness hears nothing of the building.
	if err := setDelays(w, o.delays); err != nil {
		return nil, err
	}
	return w.serve(o.listen, user, certificate)
}

// setDelays gives each name to both levels: calls know it as `PowerOnVM_Task`, tasks as `PowerOn`.
func setDelays(w *world, text string) error {
	delays := map[string]int{}
	for _, item := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' }) {
		name, value, _ := strings.Cut(item, ":")
		ms, err := strconv.Atoi(value)
		if err != nil || ms < 0 {
			return fmt.Errorf("-method-delay %q: write Name:milliseconds, separated by commas", item)
		}
		delays[name] = ms
		simulator.TaskDelay.MethodDelay[name] = ms
	}
	w.model.DelayConfig.MethodDelay = delays
	return nil
}

// endOfLife tells why the program must end: a signal, the end of stdin, or the end of the parent.
func endOfLife(parent int) <-chan string {
	reason := make(chan string, 3)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() { reason <- fmt.Sprintf("signal %v", <-signals) }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		reason <- "stdin was closed"
	}()
	if parent > 0 {
		go func() {
			for syscall.Kill(parent, 0) != syscall.ESRCH {
				time.Sleep(time.Second)
			}
			reason <- "the parent has ended"
		}()
	}
	return reason
}
