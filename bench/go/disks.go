// Makes the source disks and compares copies with them.
// Rule: only ranges that were named hold bytes; the rest are holes, and a hole is compared as zeros wherever the other side
// has data. Never believes a size: two disks of different lengths differ.
package main

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"syscall"
)

const (
	pieceBytes = 4 << 20
	pageBytes  = 4096
)

// lseek's words for sparse files on Linux.
const (
	seekData = 3
	seekHole = 4
)

func fill(args []string) error {
	flags := flag.NewFlagSet("fill", flag.ExitOnError)
	path := flags.String("file", "", "the disk")
	size := flags.Int64("size", 0, "its bytes")
	seed := flags.Uint64("seed", 1, "another seed, other bytes")
	_ = flags.Parse(args)
	file, err := os.OpenFile(*path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(*size); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var start, end int64
		if _, err := fmt.Sscan(lines.Text(), &start, &end); err != nil {
			return err
		}
		if err := scatter(file, *seed, start, end); err != nil {
			return err
		}
	}
	return lines.Err()
}

// scatter writes bytes no compressor can shorten: a key stream that starts anew with every range.
func scatter(file *os.File, seed uint64, start, end int64) error {
	key, from := make([]byte, 16), make([]byte, 16)
	binary.LittleEndian.PutUint64(key, seed)
	binary.LittleEndian.PutUint64(from, uint64(start))
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	stream := cipher.NewCTR(block, from)
	piece := make([]byte, pieceBytes)
	for at := start; at < end; at += pieceBytes {
		part := piece[:min(pieceBytes, end-at)]
		clear(part)
		stream.XORKeyStream(part, part)
		if _, err := file.WriteAt(part, at); err != nil {
			return err
		}
	}
	return nil
}

func compare(args []string) error {
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	source := flags.String("source", "", "the disk that was copied")
	copied := flags.String("copy", "", "its copy")
	_ = flags.Parse(args)
	a, err := os.Open(*source)
	if err != nil {
		return err
	}
	// Past the page cache: what is compared is what lies on the disk, and many times as fast as small reads ahead.
	b, err := os.OpenFile(*copied, os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		return err
	}
	sizeA, sizeB, err := sizes(a, b)
	if err != nil {
		return err
	}
	if sizeA != sizeB {
		return fmt.Errorf("%s has %d bytes, %s has %d", *source, sizeA, *copied, sizeB)
	}
	for at := int64(0); at < sizeA; {
		start, end := nextData(a, at, sizeA)
		startB, endB := nextData(b, at, sizeA)
		if startB < start {
			start, end = startB, endB
		}
		// A look for the next hole costs as much as reading up to it, so it is not taken anew for every piece.
		for ; start < end; start += pieceBytes {
			if err := same(a, b, start, min(end, start+pieceBytes)); err != nil {
				return err
			}
		}
		at = end
	}
	return nil
}

func sizes(a, b *os.File) (int64, int64, error) {
	one, err := a.Stat()
	other, err2 := b.Stat()
	if err != nil || err2 != nil {
		return 0, 0, errors.Join(err, err2)
	}
	return one.Size(), other.Size(), nil
}

// nextData is where the next bytes lie, and where the hole behind them begins; size twice when there are none.
func nextData(file *os.File, from, size int64) (int64, int64) {
	start, err := syscall.Seek(int(file.Fd()), from, seekData)
	if errors.Is(err, syscall.ENXIO) {
		return size, size
	}
	if err != nil {
		return from, size
	}
	end, err := syscall.Seek(int(file.Fd()), start, seekHole)
	if err != nil {
		return start, size
	}
	return start, end
}

var left, right = make([]byte, pieceBytes), pages(pieceBytes)

// pages is memory that begins at a page, as reads past the page cache want it.
func pages(bytes int) []byte {
	memory, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	return memory
}

func same(a, b *os.File, start, end int64) error {
	one, other := left[:end-start], right[:end-start]
	if _, err := a.ReadAt(one, start); err != nil {
		return err
	}
	// Whole pages are read; the ranges of all disks here begin at one.
	if count, err := b.ReadAt(right[:(end-start+pageBytes-1)/pageBytes*pageBytes], start); int64(count) < end-start {
		return err
	}
	if bytes.Equal(one, other) {
		return nil
	}
	for index := range one {
		if one[index] != other[index] {
			return fmt.Errorf("the copy differs at byte %d: %#02x instead of %#02x", start+int64(index), other[index], one[index])
		}
	}
	return nil
}
