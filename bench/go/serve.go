// HTTPS for anyone who reads a page blob: ranges straight out of mapped memory, page lists from a text file beside it.
// Rule: one server for every contestant; a checksum is computed when a range is first asked for and remembered, so that a
// warm-up round takes its cost out of the measured ones (the real service does not compute on our processor either).
package main

import (
	"crypto/md5"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc64"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

const checksumLimit = 4 << 20

// The polynomial of CRC-64/NVME, reversed, which Azure's storage uses.
var crcTable = crc64.MakeTable(0x9a6c9329ac4bc9b5)

type blob struct {
	bytes []byte
	etag  string
	sums  sync.Map
}

type server struct {
	dir   string
	mutex sync.Mutex
	blobs map[string]*blob
}

// open maps a disk on its first request. A file that was made anew under its name (another inode) is mapped anew.
func (s *server) open(name string) (*blob, error) {
	path := filepath.Join(s.dir, filepath.Base(name)+".raw")
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	etag := fmt.Sprintf("\"0x%X\"", info.Sys().(*syscall.Stat_t).Ino)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known := s.blobs[name]; known != nil && known.etag == etag {
		return known, nil
	}
	bytes, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	made := &blob{bytes: bytes, etag: etag}
	s.blobs[name] = made
	return made, nil
}

// forget unmaps what is not served any more, so that its memory goes with its file.
func (s *server) forget(name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known := s.blobs[name]; known != nil {
		_ = syscall.Munmap(known.bytes)
		delete(s.blobs, name)
	}
}

// Paths are /sums/disks/<disk> and /bare/disks/<disk>; below "bare" no checksum is given, as by a service that has none.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(part) != 3 {
		http.Error(w, "no such disk", http.StatusNotFound)
		return
	}
	name := part[2]
	if r.Method == http.MethodDelete {
		s.forget(name)
		return
	}
	disk, err := s.open(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	head := w.Header()
	head.Set("ETag", disk.etag)
	head.Set("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT")
	head.Set("Accept-Ranges", "bytes")
	head.Set("x-ms-blob-type", "PageBlob")
	head.Set("x-ms-version", "2020-10-02")
	if wanted := r.Header.Get("If-Match"); wanted != "" && wanted != "*" && wanted != disk.etag {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	if r.URL.Query().Get("comp") == "pagelist" {
		s.pageList(w, r, name, len(disk.bytes))
		return
	}
	disk.send(w, r, part[0] == "sums")
}

func (b *blob) send(w http.ResponseWriter, r *http.Request, sums bool) {
	from, to, status := 0, len(b.bytes), http.StatusOK
	asked := r.Header.Get("x-ms-range")
	if asked == "" {
		asked = r.Header.Get("Range")
	}
	if asked != "" {
		first, last, _ := strings.Cut(strings.TrimPrefix(asked, "bytes="), "-")
		start, err := strconv.Atoi(first)
		end, noEnd := strconv.Atoi(last)
		if noEnd != nil || end >= to {
			end = to - 1
		}
		if err != nil || start > end {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		from, to, status = start, end+1, http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, end, len(b.bytes)))
	}
	for _, kind := range []string{"md5", "crc64"} {
		if sums && to-from <= checksumLimit && r.Header.Get("x-ms-range-get-content-"+kind) == "true" {
			w.Header().Set(map[string]string{"md5": "Content-MD5", "crc64": "x-ms-content-crc64"}[kind], b.sum(kind, from, to))
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(to-from))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.bytes[from:to])
	}
}

func (b *blob) sum(kind string, from, to int) string {
	key := fmt.Sprintf("%s %d %d", kind, from, to)
	if known, ok := b.sums.Load(key); ok {
		return known.(string)
	}
	var sum []byte
	if kind == "md5" {
		digest := md5.Sum(b.bytes[from:to])
		sum = digest[:]
	} else {
		sum = binary.LittleEndian.AppendUint64(nil, crc64.Checksum(b.bytes[from:to], crcTable))
	}
	text := base64.StdEncoding.EncodeToString(sum)
	b.sums.Store(key, text)
	return text
}

// pageList answers <disk>.full, or <disk>.since when an older snapshot is named, in pieces of maxresults.
func (s *server) pageList(w http.ResponseWriter, r *http.Request, name string, size int) {
	kind, most := ".full", 1<<62
	if r.Header.Get("x-ms-previous-snapshot-url") != "" {
		kind = ".since"
	}
	if asked, err := strconv.Atoi(r.URL.Query().Get("maxresults")); err == nil {
		most = asked
	}
	skip, _ := strconv.Atoi(r.URL.Query().Get("marker"))
	text, err := os.ReadFile(filepath.Join(s.dir, filepath.Base(name)+kind))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	lines := strings.Fields(string(text))
	pairs := len(lines) / 2
	var xml strings.Builder
	xml.WriteString(`<?xml version="1.0" encoding="utf-8"?><PageList>`)
	next := skip
	for ; next < pairs && next-skip < most; next++ {
		end, _ := strconv.Atoi(lines[2*next+1])
		fmt.Fprintf(&xml, "<PageRange><Start>%s</Start><End>%d</End></PageRange>", lines[2*next], end-1)
	}
	if next < pairs {
		fmt.Fprintf(&xml, "<NextMarker>%d</NextMarker>", next)
	}
	xml.WriteString("</PageList>")
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-ms-blob-content-length", strconv.Itoa(size))
	_, _ = io.WriteString(w, xml.String())
}

func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	dir := flags.String("dir", "", "folder of the disks")
	cert := flags.String("cert", "", "PEM of the certificate")
	key := flags.String("key", "", "PEM of its key")
	link := flags.Int("link", 125_000_000, "bytes a second of the slow port")
	_ = flags.Parse(args)
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return err
	}
	// A client that ends in the middle of a handshake is none of the bench's business.
	front := &http.Server{Handler: &server{dir: *dir, blobs: map[string]*blob{}}, ErrorLog: log.New(io.Discard, "", 0)}
	secure := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, DynamicRecordSizingDisabled: true}
	ports := map[string]int{}
	failed := make(chan error, 2)
	for _, name := range []string{"full", "link"} {
		plain, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		ports[name] = plain.Addr().(*net.TCPAddr).Port
		if name == "link" {
			plain = &slowListener{Listener: plain, link: &sharedLink{bytesPerSecond: float64(*link)}}
		}
		go func() { failed <- front.Serve(tls.NewListener(plain, secure)) }()
	}
	said, _ := json.Marshal(map[string]any{"ready": true, "ports": ports})
	fmt.Println(string(said))
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
}
