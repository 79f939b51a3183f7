// The sentences of the Compare page. Differences are A − B everywhere.

import { firstChoice, firstPlace, scoresOf } from "../shared/answers.js";
import { number, removedSentence, STATISTICS, unitFactor } from "../shared/words.js";

/** @import { AtlasName, Frame, Said, StatisticName, Unit } from "../shared/types.js" */
/** @import { Store } from "../shared/store.js" */
/** @import { Alignment, SideName } from "./align.js" */
/** @import { Selection } from "./heads.js" */

/**
 * A difference with its sign.
 * @param {number | null | undefined} x
 */
export function signed(x, digits = 3) {
  if (x === null || x === undefined || Number.isNaN(x)) return "—";
  const sign = x > 0 ? "+" : x < 0 ? "−" : "±";
  return `${sign}${Math.abs(x).toFixed(digits)}`;
}

/**
 * A difference of a statistic in its unit.
 * @param {AtlasName} name
 * @param {number | undefined} a
 * @param {number | undefined} b
 * @param {Unit} unit
 */
export function difference(name, a, b, unit) {
  if (a === undefined || b === undefined || Number.isNaN(a) || Number.isNaN(b)) return "—";
  if (name === "top_share_10" || name === "bottom_share_50") return `${signed(100 * (a - b), 1)} pts`;
  return signed((a - b) * unitFactor(name, unit), name === "effective_number" ? 2 : 3);
}

/**
 * Why one side has no matrix to show here; "" if it has.
 * @param {Store} store
 * @param {number} layer
 * @param {number} head
 */
export function missingSentence(store, layer, head) {
  const built = store.open.heads[layer];
  if (head >= built) return `This model has no head ${head}: its layer ${layer} was built with ${built} heads.`;
  return removedSentence(store, layer, head);
}

/**
 * Whether two models' answers can be compared at all.
 * @param {Store} a
 * @param {Store} b
 */
export const comparable = (a, b) =>
  a.open.output === b.open.output &&
  (a.open.output !== "classification" || a.open.labels.join("\n") === b.open.labels.join("\n"));

/**
 * Budgets of both at which their first choices differ, ascending; null where answers have no first choice or cannot be
 * compared.
 * @param {Store} a
 * @param {Store} b
 */
export function disagreements(a, b) {
  if (!comparable(a, b) || !firstChoice(a.open, a.full) || !firstChoice(b.open, b.full)) return null;
  const budgets = Array.from({ length: Math.max(a.n, b.n) }, (_, i) => i + 1);
  return budgets.filter((k) => {
    const [one, other] = [a, b].map((store) => store.frames.get(Math.min(k, store.n)));
    return one && other && firstChoice(a.open, one) !== firstChoice(b.open, other);
  });
}

/**
 * What both say at a budget, and by how much they differ.
 * @param {Store} a
 * @param {Store} b
 * @param {Frame | null} frameA
 * @param {Frame | null} frameB
 */
export function agreementSentence(a, b, frameA, frameB) {
  if (!comparable(a, b)) return "The two models answer in different forms, so their answers cannot be subtracted.";
  if (!frameA || !frameB) return "The outputs at this budget are being computed.";
  if (a.open.output === "regression") return scoresSentence(a, frameA, frameB);
  if (a.open.output === "encoder") return "Both give embeddings, which are not compared across models.";
  const [one, other] = [firstChoice(a.open, frameA), firstChoice(b.open, frameB)];
  if (one === null || other === null) return "Neither predicts a word here: the text has no mask.";
  if (a.open.output === "classification") return classSentence(frameA, frameB, one, other);
  return one === other ? `Both rank “${one}” first.` : `They disagree: A ranks “${one}” first, B “${other}”.`;
}

/**
 * @param {Said} frameA
 * @param {Said} frameB
 * @param {string} one
 * @param {string} other
 */
function classSentence(frameA, frameB, one, other) {
  if (one !== other) return `They disagree: A says “${one}”, B says “${other}”.`;
  const i = firstPlace(frameA);
  const [inA, inB] = [frameA, frameB].map(({ probabilities }) => probabilities?.[i] ?? NaN);
  return `Both say “${one}”. A − B of its probability: ${signed(inA - inB)}.`;
}

/**
 * Of several scores, the one that differs most.
 * @param {Store} a
 * @param {Said} frameA
 * @param {Said} frameB
 */
function scoresSentence(a, frameA, frameB) {
  const others = scoresOf(frameB);
  const differences = scoresOf(frameA).map((score, i) => score - others[i]);
  const most = differences.reduce((at, d, i) => (Math.abs(d) > Math.abs(differences[at]) ? i : at), 0);
  const which = differences.length > 1 ? `${a.open.labels[most] ?? `score ${most}`}, which differs most` : "the score";
  return `A − B of ${which}: ${signed(differences[most], 2)}.`;
}

/**
 * Budgets in few words: neighbours as ranges, 1–3, 7.
 * @param {number[]} ks Ascending.
 */
function list(ks) {
  /** @type {[number, number][]} */
  const runs = [];
  for (const k of ks) {
    const last = runs.at(-1);
    if (last && last[1] === k - 1) last[1] = k;
    else runs.push([k, k]);
  }
  const parts = runs.flatMap(([from, to]) => (to - from > 1 ? `${from}–${to}` : [...new Set([from, to])].map(String)));
  return parts.length > 8 ? `${parts.slice(0, 8).join(", ")}, …` : parts.join(", ");
}

/** @param {number[] | null} ks */
export function disagreementSentence(ks) {
  if (ks === null) return "";
  return ks.length ? `They disagree at k = ${list(ks)}.` : "They agree at every budget computed so far.";
}

/**
 * @param {Store} a
 * @param {Store} b
 */
export function flipsSentence(a, b) {
  const [ofA, ofB] = [a, b].map((store) => store.flips());
  /** @param {number[]} ks */
  const flips = (ks) => (ks.length ? `flips at k = ${list(ks)}` : "never flips");
  return `A ${flips(ofA)}; B ${flips(ofB)} (dots: the first choice differs from that at full budget).`;
}

/**
 * What part of a shift is selection, in plain words.
 * @param {StatisticName} name
 * @param {Selection | { why: string }} control
 * @param {Unit} unit
 */
export function selectionSentence(name, control, unit) {
  if ("why" in control) return control.why;
  const { from, all, survivors, smaller, selected } = control;
  const [big, small] = from === "a" ? ["A", "B"] : ["B", "A"];
  const { label: what, format } = STATISTICS[name];
  const [ofAll, ofSurvivors, ofSmaller] = [all, survivors, smaller].map((mean) => format(mean, unit));
  const means =
    `All heads of ${big} ${ofAll}; those that ${small} still has ${ofSurvivors}; ` +
    `all heads of ${small} ${ofSmaller}.`;
  if (selected === null) return `${means} The mean did not shift.`;
  const share = `${Math.round(100 * Math.abs(selected))}%`;
  const by = signed((smaller - all) * unitFactor(name, unit));
  const shift = `${means} Shift from ${big} to ${small}: ${by}.`;
  if (selected > 1)
    return (
      `${shift} Which heads survived would alone account for ${share} of that shift of ${what}; ` +
      "changed attention offset the excess."
    );
  if (selected < 0)
    return (
      `${shift} Which heads survived moves ${what} in the opposite direction (by ${share} of that): ` +
      "changed attention accounts for more than the whole shift."
    );
  return `${shift} ${share} of it comes from which heads survived, the rest from changed attention.`;
}

/**
 * What a pair of weights is, for a tip.
 * @param {string} query
 * @param {string} key
 * @param {Record<SideName, number>} weights
 * @param {Record<SideName, number | null>} ranks Null where what is compared is not a token.
 */
export function pairTip(query, key, weights, ranks) {
  /** @param {SideName} side */
  const line = (side) => `${side.toUpperCase()}: ${weightWords(weights[side], ranks[side])}`;
  const difference = signed(weights.a - weights.b);
  return [`“${query}” reads “${key}”`, line("a"), line("b"), `A − B: ${difference}`].join("\n");
}

/**
 * @param {number} weight
 * @param {number | null} rank
 */
function weightWords(weight, rank) {
  if (Number.isNaN(weight)) return "masked";
  if (weight === 0) return "not read";
  return `${number(weight)}${rank ? ` (rank ${rank})` : ""}`;
}

/**
 * How the two tokenizations go together, where that has to be said.
 * @param {Alignment} alignment
 * @param {Store} a
 * @param {Store} b
 */
export function alignmentNotes({ kind, why, units, unitOf }, a, b) {
  const notes = [];
  if (kind === "none") notes.push(why);
  if (kind === "characters") {
    const [ofA, ofB] = [unitOf.a, unitOf.b].map((of) => of.filter((unit) => unit < 0).length);
    notes.push(
      `The tokenizers differ (A ${a.n} tokens, B ${b.n}). A − B is drawn on ${units.length} pieces of text ` +
        "at whose ends both have a boundary: keys within a piece are summed, queries averaged. " +
        `Tokens without a counterpart (A ${ofA}, B ${ofB}) are left out of it.`,
    );
  }
  if (a.n !== b.n)
    notes.push(
      `Statistics are each side's own, over ${a.n} tokens of A and ${b.n} of B: Gini and entropy depend on n, ` +
        "so compare with care. k is capped by each model's number of tokens.",
    );
  return notes;
}
