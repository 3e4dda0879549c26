/**
 * What has to hold at home while the target's disks are open, by name, so that the story knows which finding costs what.
 * Rule: names only; the sites look, the story decides.
 */

/** The check that an open disk is still the file it was opened as. Where it was not, only a full copy is certain (S9). */
export const movedDiskCheck = 'open-disks-stay';
