// What the Allocation page is asked to show, and what its pictures need. Types alone.

import type { Palette } from "../shared/types.js";

/** Numbers of a market under a rule, as compecon/views/allocation/canvas_data.py writes them. */
export interface MarketTable {
  unit: string;
  queries: string[];
  /** By query: the price from which on it buys nothing. */
  choke: number[];
  /** By query: what it would buy first. */
  entry: number[];
  /** By query: spends and their values. */
  curves: [spends: number[], values: number[]][];
  demand: { prices: number[]; totals: number[] };
  /** By stop of the bar. */
  points: Record<PointName, number[]>;
  places: number[];
  /** By stop; null for a rule that sets none. */
  prices: (number | null)[];
  /** By stop and query. */
  spends: number[][];
  /** By stop, a digit for each query: which sentence says why. */
  reasons: string[];
  sentences: string[];
}

export type PointName =
  | "budget"
  | "clearing"
  | "handed"
  | "used"
  | "value"
  | "bound"
  | "abandoned"
  | "strict"
  | "accuracy"
  | "low"
  | "high";

/** The queries one after the other, at a price that moves. */
export interface Playback {
  /** Stop of the bar that it was recorded at. */
  budget: number;
  service: number;
  recycled: number;
  /** Queries as they arrive; the lists below are by arrival, caps by query. */
  order: number[];
  caps: number[];
  prices: number[];
  earned: number[];
  known: number[];
  used: number;
  value: number;
  bound: number;
  /** The price of somebody who knows all arrivals. */
  offline: number;
}

export interface AllocationView {
  budget: number;
  query: number;
  order: "arrival" | "price";
}

export interface AllocationData {
  id: string;
  table: MarketTable;
  view: AllocationView;
  /** Price of a million units; 0 hides money. */
  money: number;
  worth: string;
  /** What one unit of the budget is called. */
  one: string;
  playback: Playback | null;
  note: string;
  provenance: Record<string, string | number | boolean | null>;
}

/** What is true at one stop of the bar. */
export type Now = Record<PointName, number> & { price: number | null; spends: number[]; reasons: string };

/** All that a picture needs. */
export interface Shown {
  table: MarketTable;
  data: AllocationData;
  view: AllocationView;
  now: Now;
  /** Queries as they stand in the queue. */
  order: number[];
  colours: AllocationPalette;
  /** Heights that the pictures end at, the same over the whole bar. */
  tallest: number;
  steepest: number;
  /** How many have arrived, while arrivals are played. */
  arrived: number | null;
}

export interface AllocationPalette extends Palette {
  waste: string;
  ghost: string;
}
