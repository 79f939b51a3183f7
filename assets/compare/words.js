// The sentences of the Compare page. Differences are A − B everywhere.

import { firstChoice as choice, firstPlace } from "../shared/answers.js";
import { number, percent, removedSentence, STATISTICS } from "../shared/words.js";

/** A difference with its sign. */
export const signed = (x, digits = 3) =>
  !Number.isNaN(x) && x !== null && x !== undefined
    ? `${x > 0 ? "+" : x < 0 ? "−" : "±"}${Math.abs(x).toFixed(digits)}`
    : "—";

/** A difference of a statistic in its unit. */
export function difference(name, a, b, unit) {
  if (a === undefined || b === undefined || Number.isNaN(a) || Number.isNaN(b)) return "—";
  if (name === "top_share_10" || name === "bottom_share_50") return `${signed(100 * (a - b), 1)} pts`;
  if (name === "entropy") return signed((a - b) / (unit === "bits" ? Math.LN2 : 1));
  return signed(a - b, name === "effective_number" ? 2 : 3);
}

/** Why one side has no matrix to show here; "" if it has. */
export function missingSentence(store, layer, head) {
  if (head >= store.open.heads[layer])
    return `This model has no head ${head}: its layer ${layer} was built with ${store.open.heads[layer]} heads.`;
  return removedSentence(store, layer, head);
}

/** Whether two models' answers can be compared at all. */
export const comparable = (a, b) =>
  a.open.output === b.open.output &&
  (a.open.output !== "classification" || a.open.labels.join("\n") === b.open.labels.join("\n"));

/** Budgets of both at which their first choices differ, ascending; null where answers have no first choice or cannot be compared. */
export function disagreements(a, b) {
  if (!comparable(a, b) || !choice(a.open, a.full) || !choice(b.open, b.full)) return null;
  const most = Math.max(a.n, b.n);
  const at = (store, k) => store.frames.get(Math.min(k, store.n));
  const out = [];
  for (let k = 1; k <= most; k++) {
    const [one, other] = [at(a, k), at(b, k)];
    if (one && other && choice(a.open, one) !== choice(b.open, other)) out.push(k);
  }
  return out;
}

/** What both say at a budget, and by how much they differ. */
export function agreementSentence(a, b, frameA, frameB) {
  if (!comparable(a, b)) return "Their answers are not of one kind, so there is no difference between them.";
  if (!frameA || !frameB) return "The outputs at this budget are being computed.";
  if (a.open.output === "regression") return `A − B of the score: ${signed(frameA.score - frameB.score, 2)}.`;
  if (a.open.output === "encoder") return "Both give embeddings, which are not compared across models.";
  const [one, other] = [choice(a.open, frameA), choice(b.open, frameB)];
  if (one === null || other === null) return "Neither guesses a word here: there is no mask in the text.";
  if (a.open.output !== "classification")
    return one === other ? `Both put “${one}” first.` : `They disagree: A puts “${one}” first, B “${other}”.`;
  const i = firstPlace(frameA);
  const moved = `A − B of its probability: ${signed(frameA.probabilities[i] - frameB.probabilities[i])}.`;
  return one === other ? `Both say “${one}”. ${moved}` : `They disagree: A says “${one}”, B says “${other}”.`;
}

const list = (ks, n) => {
  const short = runs(ks, n);
  return short.length > 8 ? `${short.slice(0, 8).join(", ")}, …` : short.join(", ");
};

/** Neighbouring budgets as ranges: 1–3, 7. */
function runs(ks) {
  const out = [];
  for (let i = 0; i < ks.length; i++) {
    let j = i;
    while (j + 1 < ks.length && ks[j + 1] === ks[j] + 1) j++;
    out.push(j - i > 1 ? `${ks[i]}–${ks[j]}` : ks.slice(i, j + 1).join(", "));
    i = j;
  }
  return out;
}

export const disagreementSentence = (ks) =>
  ks === null ? "" : ks.length ? `They disagree at k = ${list(ks)}.` : "They agree at every budget computed so far.";

export function flipsSentence(a, b) {
  const one = (name, store) => {
    const ks = store.flips();
    return ks.length ? `${name} flips at k = ${list(ks)}` : `${name} never flips`;
  };
  return `${one("A", a)}; ${one("B", b)} (dots: the first choice is another one than at full budget).`;
}

/** What part of a shift is selection, in plain words. */
export function selectionSentence(name, control, unit) {
  if (control.why) return control.why;
  const { from, all, survivors, smaller, selected } = control;
  const big = from.toUpperCase();
  const small = from === "a" ? "B" : "A";
  const what = STATISTICS[name].label;
  const show = (v) => STATISTICS[name].format(v, unit);
  const means = `All heads of ${big} ${show(all)}; those of them that ${small} still has ${show(survivors)}; all heads of ${small} ${show(smaller)}.`;
  if (selected === null) return `${means} The mean did not shift.`;
  const share = percentOf(Math.abs(selected));
  const shift = `${means} Shift from ${big} to ${small}: ${signed((smaller - all) / (name === "entropy" && unit === "bits" ? Math.LN2 : 1))}.`;
  if (selected > 1)
    return `${shift} Which heads survived would alone have moved ${what} by ${share} of that; changed attention took the excess back.`;
  if (selected < 0)
    return `${shift} Which heads survived moves ${what} the other way (by ${share} of that): the whole shift, and more, is changed attention.`;
  return `${shift} ${share} of it is which heads survived, the rest is changed attention.`;
}

const percentOf = (x) => `${Math.round(100 * x)} %`;

/** What a pair of weights is, for a tip. `unit` says what is compared if it is not a token. */
export function pairTip(q, k, a, b, ranks) {
  const one = (name, w, rank) =>
    `${name}: ${Number.isNaN(w) ? "may not be seen" : w === 0 ? "not read" : `${number(w)}${rank ? ` (rank ${rank})` : ""}`}`;
  return `“${q}” reads “${k}”\n${one("A", a, ranks?.a)}\n${one("B", b, ranks?.b)}\nA − B: ${signed(a - b)}`;
}

/** How the two tokenizations go together, where that has to be said. */
export function alignmentNotes(alignment, a, b) {
  const notes = [];
  if (alignment.kind === "none") notes.push(alignment.why);
  if (alignment.kind === "characters") {
    const left = (side) => alignment.unitOf[side].filter((u) => u < 0).length;
    notes.push(
      `The tokenizers differ (A ${a.n} tokens, B ${b.n}). A − B is drawn on ${alignment.units.length} pieces of text where both have a boundary: keys of a piece are summed, its queries averaged. Tokens without a counterpart (A ${left("a")}, B ${left("b")}) are left out of it.`,
    );
  }
  if (a.n !== b.n)
    notes.push(
      `Statistics are each side's own, over ${a.n} tokens of A and ${b.n} of B: Gini and entropy depend on n, so compare them with care. At one k, each is capped by its own number of tokens.`,
    );
  return notes;
}

export { percent };
