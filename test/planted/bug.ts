/**
 * What a planted bug is: one line of a file, what stands there instead, and the test that must notice.
 */
export interface PlantedBug {
  readonly promise:
    | 'L1'
    | 'L2'
    | 'L3'
    | 'S7'
    | 'L4'
    | 'L5'
    | 'L6'
    | 'L7'
    | 'R4'
    | 'R7'
    | 'R11'
    | 'S1'
    | 'S2'
    | 'S3'
    | 'S4'
    | 'S5'
    | 'S8'
    | 'S9'
    | 'S10'
    | 'S11'
    | 'S12'
    | 'S13';
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly line: string;
  /** What stands there instead. */
  readonly instead: string;
  readonly caughtBy: string;
  /** Part of the names of the tests that suffice, as jest's `-t` takes it. */
  readonly named?: string;
}

export const bug = (
  promise: PlantedBug['promise'],
  file: string,
  line: string,
  instead: string,
  caughtBy: string,
  named?: string,
): PlantedBug => ({ promise, file, line, instead, caughtBy, ...(named === undefined ? {} : { named }) });
