// Records of the lab's application on a disk, the format of lab/guest/record.ts read and written by a second hand.
// One rule: a record counts only if its checksum, its payload and its place all agree.
// Must never change a superblock.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
)

const (
	recordBytes     = 512
	headBytes       = 40
	sumBytes        = 32
	slotAreaOffset  = 65536
	recordMagic     = "HWREC\x01\r\n"
	superblockMagic = "HWLOG\x01\r\n"
)

type layout struct{ slots, stride uint32 }

func (l layout) offset(slot uint32) int64 { return slotAreaOffset + int64(slot)*int64(l.stride) }

type slotKind int

const (
	slotEmpty slotKind = iota
	slotDamaged
	slotRecord
)

type content struct {
	kind slotKind
	seq  uint64
	sum  string
}

func sumOf(record []byte) []byte {
	sum := sha256.Sum256(record[:recordBytes-sumBytes])
	return sum[:]
}

func intact(record []byte) bool { return bytes.Equal(sumOf(record), record[recordBytes-sumBytes:]) }

func readLayout(disk *os.File) (layout, error) {
	block := make([]byte, recordBytes)
	if _, err := disk.ReadAt(block, 0); err != nil {
		return layout{}, err
	}
	if string(block[:8]) != superblockMagic || !intact(block) {
		return layout{}, errors.New("no intact superblock")
	}
	return layout{binary.LittleEndian.Uint32(block[8:]), binary.LittleEndian.Uint32(block[12:])}, nil
}

func payload(seed uint32) []byte {
	out := make([]byte, recordBytes-headBytes-sumBytes)
	for at := 0; at < len(out); at += 4 {
		word := seed + uint32(at+1)*0x9e3779b9
		word = (word ^ word>>16) * 0x21f0aaad
		word = (word ^ word>>15) * 0x735a2d97
		binary.LittleEndian.PutUint32(out[at:], word^word>>15)
	}
	return out
}

func readSlot(disk *os.File, l layout, slot uint32) (content, error) {
	record := make([]byte, recordBytes)
	if _, err := disk.ReadAt(record, l.offset(slot)); err != nil {
		return content{}, err
	}
	if bytes.Equal(record, make([]byte, recordBytes)) {
		return content{kind: slotEmpty}, nil
	}
	whole := string(record[:8]) == recordMagic && intact(record) &&
		bytes.Equal(payload(binary.LittleEndian.Uint32(record[20:])), record[headBytes:recordBytes-sumBytes]) &&
		binary.LittleEndian.Uint32(record[16:]) == slot
	if !whole {
		return content{kind: slotDamaged}, nil
	}
	return content{slotRecord, binary.LittleEndian.Uint64(record[8:]), shortSum(record)}, nil
}

func shortSum(record []byte) string { return hex.EncodeToString(record[recordBytes-sumBytes:][:8]) }

func writeRecord(disk *os.File, l layout, slot uint32, seq uint64) (string, error) {
	record := make([]byte, recordBytes)
	copy(record, recordMagic)
	seed := uint32(seq*2654435761) ^ slot
	binary.LittleEndian.PutUint64(record[8:], seq)
	binary.LittleEndian.PutUint32(record[16:], slot)
	binary.LittleEndian.PutUint32(record[20:], seed)
	binary.LittleEndian.PutUint32(record[24:], onPrem)
	copy(record[headBytes:], payload(seed))
	copy(record[recordBytes-sumBytes:], sumOf(record))
	_, err := disk.WriteAt(record, l.offset(slot))
	return shortSum(record), err
}
