/** One thing wrong with one row of a device list, in words for the operator who made it. */
export interface RowProblem {
  /** As a spreadsheet counts: the header is 1, the first device of a CSV 2. In JSON the first device is 1. */
  readonly row: number;
  /** The column as the file names it; null where the row as a whole is wrong. */
  readonly column: string | null;
  readonly message: string;
}
