// What the server says of the sizes of an elastic checkpoint. Types alone: browsers load nothing of it.

/** A size of an elastic checkpoint: what it may spend, what it runs on this text, and how many units it has. */
export interface SizeOffer {
  size: number;
  macs: number;
  heads: number;
  neurons: number;
}

/** How long forward passes of a text take at a size and with all units: medians and quartiles, in milliseconds. */
export interface Latency {
  kind: "latency";
  size: number;
  ms: number;
  low: number;
  high: number;
  whole_ms: number;
  whole_low: number;
  whole_high: number;
  rounds: number;
  n_tokens: number;
  threads: number;
  device: string;
}
