// What the table of runs is asked to show. Types alone.

export interface Column {
  /** By which the server sorts. */
  name: string;
  title: string;
  /** What its numbers are, or "". */
  help: string;
  isNumber: boolean;
}

export interface Row {
  /** The run's name. */
  run: string;
  /** Part of its stage that is done, from 0 to 1. */
  progress: number | null;
  /** A text for each column. */
  cells: string[];
}

export interface RunsData {
  columns: Column[];
  rows: Row[];
  /** Name of the open run; its row may be absent. */
  chosen: string;
  /** Name of the column that the rows are sorted by, with a minus from the largest down; "" for the newest first. */
  sort: string;
}
