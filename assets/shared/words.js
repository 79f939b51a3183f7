// What every number on the page is called, what it means in one sentence, and how it is computed.

/** @import { AtlasName, SharedView, StatisticName, Statistics, Unit } from "./types.js" */
/** @import { Store } from "./store.js" */

/**
 * @typedef Wording
 * @property {string} label
 * @property {(value: number, unit: Unit) => string} format
 * @property {(value: number, n: number, all: Statistics) => string} say One sentence; n is the number of tokens.
 * @property {string} how How it is computed.
 */

/** @param {number} x */
export const percent = (x) => (Number.isNaN(x) ? "—" : `${(100 * x).toFixed(x < 0.1 ? 1 : 0)}%`);

/**
 * @param {number | null | undefined} x
 * @param {number} [digits]
 */
export const number = (x, digits = 3) => (x === undefined || x === null || Number.isNaN(x) ? "—" : x.toFixed(digits));

/** @type {Record<StatisticName, Wording>} */
export const STATISTICS = {
  gini: {
    label: "Gini",
    format: (v) => number(v),
    say: (v) =>
      v < 0.4
        ? "Attention is spread fairly evenly: 0 means all tokens get the same, 1 means one token has everything."
        : v < 0.75
          ? "A minority of tokens holds most of the attention: 0 means equality, 1 means one token has everything."
          : "A few tokens hold nearly all of the attention: 0 means equality, 1 means one token has everything.",
    how:
      "Twice the area between the Lorenz curve and equality, over all visible tokens, zeros counted. " +
      "With k of n tokens read, Gini is at least 1 − k/n: that part of a rise is arithmetic.",
  },
  gini_small_sample: {
    label: "Gini, small-sample",
    format: (v) => number(v),
    say: () => "Gini × n/(n−1): comparable between texts of different length.",
    how: "Gini corrected so that one token holding everything scores exactly 1.",
  },
  entropy: {
    label: "Entropy",
    format: (v, unit) => `${number(unit === "bits" ? v / Math.LN2 : v)} ${unit}`,
    say: (_, n) =>
      `0 means a single token; ` +
      `${number(Math.log(n), 2)} nats (${number(Math.log2(n), 2)} bits) means all ${n} equally.`,
    how: "Shannon entropy −Σ p ln p of the attention; bits = nats / ln 2. 0 ln 0 counts as 0.",
  },
  effective_number: {
    label: "Effective tokens",
    format: (v) => number(v, 2),
    say: (v, n) => `As concentrated as attention spread evenly over ${number(v, 1)} of the ${n} tokens.`,
    how: "exp(entropy), the Hill number of order 1; in the row view the mean over queries.",
  },
  top_share_10: {
    label: "Top 10% get",
    format: percent,
    say: (v, _, all) => `The top 10% of tokens get ${percent(v)}, the bottom half ${percent(all.bottom_share_50)}.`,
    how: "Read off the Lorenz curve, linear between tokens.",
  },
  bottom_share_50: {
    label: "Bottom half gets",
    format: percent,
    say: (v) => `The half of the tokens that gets least shares ${percent(v)} of the attention.`,
    how: "Read off the Lorenz curve at 50%.",
  },
  herfindahl: {
    label: "Herfindahl",
    format: (v) => number(v),
    say: (v) => `Two random units of attention land on the same token with probability ${percent(v)}.`,
    how: "Σ p²; 1/n is equality, 1 is monopoly.",
  },
  gini_inside: {
    label: "Gini inside",
    format: (v) => number(v),
    say: () => "Inequality among the tokens that are read at all; a budget often lowers it.",
    how: "Gini over the tokens with non-zero attention only.",
  },
};

/** @type {Wording} */
export const MOVED = {
  label: "moved by the budget",
  format: percent,
  say: (v) => `${percent(v)} of this head's attention goes to other tokens than at full budget.`,
  how: "Mean over queries of the total-variation distance to the full-budget row.",
};

/**
 * What may colour the tiles of an atlas.
 * @type {Record<AtlasName, Wording>}
 */
export const ATLAS = { ...STATISTICS, moved: MOVED };

/** @type {Partial<Record<AtlasName, [number, number]>>} */
const RANGES = {
  gini: [0, 1],
  gini_small_sample: [0, 1],
  gini_inside: [0, 1],
  herfindahl: [0, 1],
  top_share_10: [0, 1],
  bottom_share_50: [0, 0.5],
  moved: [0, 1],
};

/**
 * Ends of a statistic's colour scale; entropy in nats.
 * @param {AtlasName} name
 * @param {number} n
 * @returns {[number, number]}
 */
export const rangeOf = (name, n) => RANGES[name] ?? [0, name === "entropy" ? Math.log(n) : n];

/**
 * What a statistic is multiplied by to be in a unit.
 * @param {AtlasName} name
 * @param {Unit} unit
 */
export const unitFactor = (name, unit) => (name === "entropy" && unit === "bits" ? 1 / Math.LN2 : 1);

/**
 * A statistic's name, with its unit where it has one.
 * @param {AtlasName} name
 * @param {Unit} unit
 */
export const labelOf = (name, unit) => `${ATLAS[name].label}${name === "entropy" ? `, ${unit}` : ""}`;

const VIEW_WORDS = {
  row: "Row view: what each query gives, averaged over queries",
  received: "Received view: what each token receives from all queries",
};

/**
 * Which side of attention is counted, and over which tokens.
 * @param {SharedView} view
 */
export const viewSentence = ({ view, tokens }) =>
  `${VIEW_WORDS[view]}${tokens === "content" ? "; special tokens left out" : ""}.`;

/**
 * Why a head has no attention to show; "" if it has.
 * @param {Store} store
 * @param {number} layer
 * @param {number} head
 */
export function removedSentence(store, layer, head) {
  if (!store.isRemoved(layer, head)) return "";
  const [one, all] = store.size < 1 ? ["is", "are"] : ["was", "were"];
  const how = store.size < 1 ? `${goneWord(store)} at ${shareOf(store.size)} of the MACs` : "removed from this model";
  for (let h = 0; h < store.open.heads[layer]; h++)
    if (!store.isRemoved(layer, h)) return `Layer ${layer}, head ${head} ${one} ${how}.`;
  return `All heads of layer ${layer} ${all} ${how}.`;
}

/**
 * What happened to the heads that a model lacks: a smaller size of an elastic one has sold them, and buys them back.
 * @param {Store} store
 */
export function goneWord({ size, open }) {
  if (size === 1) return "removed";
  return open.sizes?.[0]?.heads === headsOf(open) ? "sold" : "removed or sold";
}

/** @param {{ heads: number[] }} open */
const headsOf = ({ heads }) => heads.reduce((a, b) => a + b, 0);

/**
 * A size in words: 30%, 38.7%.
 * @param {number} size
 */
export const shareOf = (size) => `${Number((100 * size).toFixed(1))}%`;

/** @param {number} size */
export const sizeWords = (size) => `${shareOf(size)} of the MACs`;

/**
 * A number of multiply-adds in few letters.
 * @param {number} macs
 */
export const macsOf = (macs) => (macs >= 1e6 ? `${(macs / 1e6).toFixed(1)} M` : `${(macs / 1e3).toFixed(0)} k`);

/**
 * What the hatched tiles of the atlas are; "" for a model that has one size and kept all its heads.
 * @param {Store} store
 */
export function removedNote(store) {
  const of = `${store.removed.size} of ${headsOf(store.open)} heads`;
  if (store.size < 1) return `Hatched: ${of} are ${goneWord(store)} at ${shareOf(store.size)} of the MACs.`;
  if (!store.removed.size) return store.open.sizes ? `No head is sold: all ${headsOf(store.open)} are there.` : "";
  return `Hatched: ${of} were removed from this model; the others keep their positions.`;
}

/**
 * The beginning of a text, as its tokens are shown.
 * @param {Store} store
 */
export function textOf({ open: { tokens, joined, special } }) {
  const words = tokens.map((token, i) => (special[i] ? " " : `${joined[i] ? "" : " "}${token}`));
  const text = words.join("").replace(/ +/g, " ").trim();
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/**
 * How much of the text the model does not know; "" if it knows all.
 * @param {Store} store
 */
export function unknownNote({ open: { unknown = [], special, tokens } }) {
  const n = unknown.filter(Boolean).length;
  if (!n) return "";
  const own = special.filter((isAdded) => !isAdded).length;
  const sign = tokens[unknown.indexOf(true)];
  return `This model does not know ${n} of the text's ${own} tokens and reads ${sign} instead.`;
}

/**
 * What a budget saves; masking does not make a pass faster.
 * @param {Store} store
 * @param {number} k
 */
export function readsSentence(store, k) {
  const { macs, grid } = store.open;
  const i = grid.indexOf(k);
  const runs = macs.executed ? `${macsOf(macs.executed)} MACs run at any k` : "the same work runs at any k";
  const base = `Reads, not latency: exact top-k scores every key, then masks, so ${runs}.`;
  if (!macs.read || i < 0) return base;
  const [some, all] = [macs.read[i], macs.read[grid.length - 1]].map(macsOf);
  return `${base} Reading only these values would take ${some} of ${all} MACs.`;
}

const ARMS_NOTE =
  "Where a control arm changes the output as much as the chosen policy, the change comes from the number of keys, " +
  "not from which keys are read.";

/**
 * What the control arms are for, or that there are none.
 * @param {{ arms: object[], progress: { isDone: boolean } }} store
 */
export function armsNote({ arms, progress }) {
  if (arms.length) return ARMS_NOTE;
  return progress.isDone ? "Control arms not computed." : "The control arms are not computed yet.";
}
