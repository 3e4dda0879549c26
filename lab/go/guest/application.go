// The application of the lab's machine, as in lab/guest/record-log.ts: it reads all its records and then writes on.
// It says what it found and acknowledged in the words of its side file (lab/guest/acknowledgements.ts), behind HOMEWARD ACK.
// One rule: a record is acknowledged only after the disk has flushed it.
// Must never format a disk.
package main

import "os"

const onPrem = 2

func runApplication(device, machine, release string) error {
	disk, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer disk.Close()
	layout, err := readLayout(disk)
	if err != nil {
		return err
	}
	var last uint64
	var records, damaged int
	say("ACK # boot on-prem")
	for slot := uint32(0); slot < layout.slots; slot++ {
		found, err := readSlot(disk, layout, slot)
		if err != nil {
			return err
		}
		switch found.kind {
		case slotDamaged:
			damaged++
		case slotRecord:
			records++
			last = max(last, found.seq)
			say("ACK = %d %d %s", found.seq, slot, found.sum)
		}
	}
	say("ACK # live")
	say("BOOTED machine=%s release=%s last-record=%d records=%d damaged=%d", machine, release, last, records, damaged)
	for seq := last + 1; seq <= last+recordsToAdd; seq++ {
		slot := uint32(seq % uint64(layout.slots))
		sum, err := writeRecord(disk, layout, slot, seq)
		if err != nil {
			return err
		}
		if err := disk.Sync(); err != nil {
			return err
		}
		say("ACK %d %d %s", seq, slot, sum)
	}
	say("DONE")
	return nil
}
