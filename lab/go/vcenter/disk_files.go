// Virtual disks as two plain files each: a text descriptor `name.vmdk` and its bytes in `name-flat.vmdk`.
// One rule: the flat file always has the size that the descriptor states, so that a mover can write into it at any offset.
// Must never shorten or overwrite a flat file that already holds bytes.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vmdk"
)

// diskFiles maps "[datastore] folder/name.vmdk" to files below one local folder.
type diskFiles struct {
	datastore string
	dir       string
}

type diskFacts struct {
	sizeBytes int64
	uuid      string
}

func (d diskFiles) datastorePath(file string) string {
	return fmt.Sprintf("[%s] %s", d.datastore, file)
}

// local returns the path of the descriptor on this machine.
func (d diskFiles) local(name string) (string, types.BaseMethodFault) {
	var p object.DatastorePath
	if !p.FromString(name) {
		return "", &types.InvalidDatastorePath{DatastorePath: name}
	}
	if p.Datastore != d.datastore {
		return "", &types.InvalidDatastore{Name: p.Datastore}
	}
	if !filepath.IsLocal(filepath.Clean("./" + p.Path)) {
		return "", &types.InvalidDatastorePath{DatastorePath: name}
	}
	return filepath.Join(d.dir, p.Path), nil
}

func flatOf(descriptor string) string {
	return strings.TrimSuffix(descriptor, ".vmdk") + "-flat.vmdk"
}

// look reads a disk's facts; FileNotFound when one of its two files is missing.
func (d diskFiles) look(name string) (diskFacts, types.BaseMethodFault) {
	path, fault := d.local(name)
	if fault != nil {
		return diskFacts{}, fault
	}
	for _, file := range []string{path, flatOf(path)} {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			return diskFacts{}, fileFault(&types.FileNotFound{}, name)
		}
	}
	text, err := readDescriptor(path)
	if err != nil {
		return diskFacts{}, &types.InvalidDiskFormat{}
	}
	return diskFacts{sizeBytes: text.Capacity(), uuid: uuidFromHex(text.DDB["uuid"])}, nil
}

func fileFault(fault types.BaseFileFault, name string) types.BaseMethodFault {
	fault.GetFileFault().File = name
	return fault.(types.BaseMethodFault)
}

// complete makes the descriptor say uuid and sizeBytes, and the flat file exist with that size.
// An empty uuid keeps the one on file (or draws a new one); a sizeBytes of 0 keeps the size on file.
func (d diskFiles) complete(name string, uuid string, sizeBytes int64) (diskFacts, error) {
	path, fault := d.local(name)
	if fault != nil {
		return diskFacts{}, fmt.Errorf("disk %q: %T; use a path on datastore %q", name, fault, d.datastore)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return diskFacts{}, err
	}
	old, err := readDescriptor(path)
	if err != nil && !os.IsNotExist(err) {
		return diskFacts{}, err
	}
	if old != nil {
		if uuid == "" {
			uuid = uuidFromHex(old.DDB["uuid"])
		}
		if sizeBytes == 0 {
			sizeBytes = old.Capacity()
		}
	}
	if uuid == "" {
		uuid = newDiskUUID()
	}
	if err := writeDescriptor(path, uuid, sizeBytes); err != nil {
		return diskFacts{}, err
	}
	return diskFacts{sizeBytes: sizeBytes, uuid: uuid}, growFlat(flatOf(path), sizeBytes)
}

func growFlat(path string, sizeBytes int64) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > sizeBytes {
		return fmt.Errorf("%s holds %d bytes but the disk is to have %d; give the disk its real size or remove the file", path, info.Size(), sizeBytes)
	}
	return file.Truncate(sizeBytes)
}

func readDescriptor(path string) (*vmdk.Descriptor, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return vmdk.ParseDescriptor(file)
}

func writeDescriptor(path, uuid string, sizeBytes int64) error {
	text := vmdk.NewDescriptor(vmdk.Extent{Size: sizeBytes / vmdk.SectorSize, Info: filepath.Base(flatOf(path))})
	text.CID, text.ParentCID = 0xfffffffe, 0xffffffff
	text.DDB["adapterType"] = "lsilogic"
	text.DDB["virtualHWVersion"] = "19"
	text.DDB["uuid"] = hexFromUUID(uuid)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := text.Write(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// newDiskUUID draws an id as vSphere does: 6000C29 is VMware's prefix, the rest is random.
func newDiskUUID() string {
	var b [13]byte
	rand.Read(b[:])
	return uuidFromHex("6000C29" + fmt.Sprintf("%x", b[:])[:25])
}

// uuidFromHex reads any spelling (spaces, dashes, either case) and answers the one of the API, or "" when it is none.
func uuidFromHex(text string) string {
	hex := strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(text))
	if len(hex) != 32 {
		return ""
	}
	id := fmt.Sprintf("%s-%s-%s-%s-%s", hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:])
	return strings.Replace(id, "6000c29", "6000C29", 1)
}

// hexFromUUID is the spelling inside a descriptor: byte pairs, a dash in the middle.
func hexFromUUID(uuid string) string {
	hex := strings.ToLower(strings.ReplaceAll(uuid, "-", ""))
	var pairs []string
	for i := 0; i+1 < len(hex); i += 2 {
		pairs = append(pairs, hex[i:i+2])
	}
	half := len(pairs) / 2
	return strings.Join(pairs[:half], " ") + "-" + strings.Join(pairs[half:], " ")
}
