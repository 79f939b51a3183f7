// What the Compare page is asked to show, and how it is looked at. Types alone.

import type { SharedView, TextRequest } from "../shared/types.js";
import type { Alignment, PictureName } from "./align.js";
import type { OpenSide } from "./side.js";

export interface CompareView extends SharedView {
  /** Row of the shared grid of heads; null where nobody asked for one. */
  layer: number | null;
  head: number | null;
  /** Which part of an elastic checkpoint's MACs each side spends; 1 for all. */
  size_a?: number;
  size_b?: number;
  pinned: { side: PictureName; token: number } | null;
}

export interface CompareRequest {
  /** Name of both sides' requests together. */
  id: string;
  a: TextRequest | null;
  b: TextRequest | null;
  text: string;
  pair: string;
  notes: string[];
  token: string;
  view: CompareView;
  error: string | null;
  /** How many texts have been entered by hand. */
  n_entered: number;
}

/** The two sides, where both show the text. */
export interface Both {
  a: OpenSide;
  b: OpenSide;
  alignment: Alignment;
}
