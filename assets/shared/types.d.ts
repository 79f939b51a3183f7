// What travels between the server, the pages and the pictures. Types alone: browsers load nothing of it.

import type { Feed } from "./feed.js";
import type { Latency, SizeOffer } from "./size_types.js";
import type { SvgContext } from "./svg.js";

// ---- a text's stream of messages, as compecon/views/attention/attention_stream.py writes it

export type Shaped<T> = T & { shape: number[] };
export type OutputKind = "classification" | "regression" | "causal-lm" | "masked-lm" | "encoder";
export type StatisticName =
  | "gini"
  | "gini_small_sample"
  | "entropy"
  | "effective_number"
  | "herfindahl"
  | "top_share_10"
  | "bottom_share_50"
  | "gini_inside";
export type Statistics = Record<StatisticName, number>;
/** What may colour the heads: a statistic, or how much attention a budget moved. */
export type AtlasName = StatisticName | "moved";
/** Which text of a pair, where the token begins and where it ends, in letters. */
export type Span = [text: number, start: number, end: number];
/** A budget in keys and how far it moves the output. */
export type CurvePoint = [k: number, change: number];

export interface Opening {
  kind: "open";
  checkpoint: string;
  digest: string;
  device: string;
  output: OutputKind;
  labels: string[];
  change_unit: string;
  policy: string;
  /** Its name in a legend; recordings do not say. */
  policy_label?: string;
  /** Whether what a budget leaves can be masked from full attention; recordings do not say. */
  ranks_by_weight?: boolean;
  tokens: string[];
  joined: boolean[];
  special: boolean[];
  /** Null or missing where the tokenizer, or a recording, does not say. */
  spans?: (Span | null)[] | null;
  /** Whether each token stands for something written that the tokenizer does not know; absent from older recordings. */
  unknown?: boolean[];
  /** Heads of each layer. */
  heads: number[];
  /** Layer and head of those that were removed; recordings do not say. */
  removed?: [number, number][];
  grid: number[];
  sent: { layers: number[]; heads: number[] };
  views: string[];
  token_sets: string[];
  statistics: StatisticName[];
  /** Empty for a shape whose MACs cannot be counted. */
  macs: { executed?: number; read?: number[] };
  /** Of an elastic checkpoint alone: the share of the MACs that this size may spend, and all its sizes, falling. */
  size?: number;
  sizes?: SizeOffer[];
}

/** What the model says, by kind of output. */
export interface Said {
  probabilities?: number[];
  /** Place of the first choice where rounding hides it. */
  first?: number;
  score?: number;
  scores?: number[];
  top?: [word: string, probability: number][];
  loss?: number;
}

export interface Frame extends Said {
  kind: "frame";
  k: number;
  change: number;
  flipped: boolean;
  /** Whether it came from a pass of its own, not with the stream. */
  live?: boolean;
  arrays: { statistics: Shaped<Float32Array>; moved: Float32Array; weights: Uint16Array };
}

export interface ArmMessage {
  kind: "arm";
  policy: string;
  label: string;
  arrays: { budgets: Float32Array; changes: Float32Array };
}

/** A text that has to wait: how many are ahead of it. */
export interface Waiting {
  kind: "waiting";
  ahead: number;
}

export type Message =
  | Opening
  | Frame
  | ArmMessage
  | Latency
  | { kind: "done"; ms: number }
  | { kind: "error"; error: string; fits?: string; again?: boolean }
  | Waiting;

/** What another policy does to the output. */
export interface Arm {
  policy: string;
  label: string;
  points: CurvePoint[];
}

export interface HeadEconomy {
  stats: Statistics;
  curve: Float64Array;
}

// ---- requests and views

export interface Source {
  url: string;
  body: Record<string, unknown> | null;
}

export interface TextRequest {
  id: string;
  title: string;
  source: Source | null;
  live: Source | null;
  /** Where smaller sizes of the model are recorded, by size. */
  recorded?: Record<string, string>;
  /** Whether the checkpoint has several sizes; unknown of a text that the server has not asked for yet. */
  elastic?: boolean;
}

/** The page that a feed belongs to. */
export interface FeedHost {
  /** The page's secret. */
  token: string;
  /** What is wanted of the feed now. */
  look(feed: Feed): Place & { k: number };
  /** Another text's first frame is there. */
  opened(feed: Feed): void;
  /** Something changed. */
  draw(): void;
  /** The same, at most once a frame. */
  drawSoon(): void;
  /** What is on its way changed. */
  badge(): void;
  /** What is wanted changed by itself: an address that keeps it is to follow. */
  tell(): void;
  /** A request came to nothing; the last picture stays. What of a text that is too long could be read, or "". */
  fail(feed: Feed, sentence: string, fits?: string): void;
}

export interface Place {
  layer: number;
  head: number;
}

export type Direction = "row" | "received";
export type TokenSet = "all" | "content";
export type Unit = "nats" | "bits";
/** The numbers of which head, seen how. */
export type HeadView = [layer: number, head: number, view: Direction, tokens: TokenSet];

export interface SharedView {
  k: number;
  view: Direction;
  tokens: TokenSet;
  unit: Unit;
  statistic: AtlasName;
}

/** What Streamlit hands to a component. */
export interface Mounting<Data> {
  data: Data;
  parentElement: HTMLElement | ShadowRoot;
  setStateValue: Send;
  setTriggerValue: Send;
}

/** A canvas as its component sees it. */
export interface Mounted<Data> {
  update(data: Data, send: Send, trigger: Send): void;
  dispose(): void;
}

/** A canvas that another one can take the place of. */
export interface Placed {
  root: ParentNode;
  view: object;
  spec: { id: string } | null;
  set(change: object): void;
  drawn(): void;
  dispose(): void;
  /** Goes on with what another one of its kind has begun. */
  inherit?(before: Placed): void;
  /** Shows a sentence of the server's. */
  warn(sentence: string): void;
}

export type Send = (name: string, value: unknown) => void;

// ---- pictures

/** What a figure is drawn on: a canvas, or SVG written by the same calls. */
export type Sheet = CanvasRenderingContext2D | SvgContext;

export interface Palette {
  dark: boolean;
  background: string;
  text: string;
  muted: string;
  grid: string;
  accent: string;
  budget: string;
  full: string;
  a: string;
  b: string;
  arms: string[];
  font: string;
  /** Whether the picture leaves the page and needs a ground of its own. */
  paper?: boolean;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Format = "png" | "svg" | "csv" | "json";
export type Row = Record<string, string | number | boolean | null | undefined>;
