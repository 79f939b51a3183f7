// What the model says at a budget beside what it says at full budget: which classes, words or scores stand on the page.

import { number } from "./words.js";

/** @import { Frame, Opening, Said } from "./types.js" */
/** @import { Store } from "./store.js" */

/**
 * Name, number, share of the bar, its mark at full budget, and whether it is the answer.
 * @typedef {[name: string, value: string, share: number, fullShare: number | null, isAnswer: boolean]} AnswerBox
 */

const MOST = 8;
const TOP = MOST / 2;

/**
 * Places of the largest values, the largest first and of equals the first.
 * @param {number[]} values
 * @param {number} n
 */
const largest = (values, n) =>
  values
    .map((_, i) => i)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, n);

/**
 * Places that are shown: all of a few; else the first four at full budget, then those that are among the first four
 * now.
 * @param {number[]} full
 * @param {number[]} now
 */
export function shownPlaces(full, now) {
  if (now.length <= MOST) return now.map((_, i) => i);
  return [...new Set([...largest(full, TOP), ...largest(now, TOP)])];
}

/**
 * @param {number[]} values
 * @param {number[]} places
 */
const sum = (values, places) => places.reduce((total, i) => total + values[i], 0);

/**
 * @param {Opening} open
 * @param {number} i
 */
const className = (open, i) => open.labels[i] ?? `class ${i}`;

/** @param {string} word */
const spelled = (word) => JSON.stringify(word).slice(1, -1);

/**
 * @param {Opening} open
 * @param {Said} full
 * @param {Said} shown
 */
function classes(open, full, shown) {
  const before = full.probabilities ?? [];
  const now = shown.probabilities ?? [];
  const places = shownPlaces(before, now);
  const first = firstPlace(shown);
  if (!places.includes(first)) places.push(first);
  const boxes = places.map(
    /** @returns {AnswerBox} */
    (i) => [className(open, i), number(now[i]), now[i], before[i], i === first],
  );
  const rest = now.map((_, i) => i).filter((i) => !places.includes(i));
  if (!rest.length) return boxes;
  const others = `${rest.length} more ${rest.length > 1 ? "classes" : "class"}`;
  boxes.push([others, number(sum(now, rest)), sum(now, rest), sum(before, rest), false]);
  return boxes;
}

/**
 * Words, the likeliest now; and the one that was first at full budget, of which nothing is known but that it is behind.
 * @param {Said} full
 * @param {Said} shown
 */
function words(full, shown) {
  const top = shown.top ?? [];
  const before = new Map(full.top);
  const boxes = top.map(
    /** @returns {AnswerBox} */
    ([word, p], i) => [spelled(word), number(p), p, before.get(word) ?? null, i === 0],
  );
  const last = top[top.length - 1][1];
  for (const [was, share] of full.top?.slice(0, 1) ?? [])
    if (!top.some(([word]) => word === was)) boxes.push([spelled(was), `< ${number(last)}`, 0, share, false]);
  if (shown.loss === undefined || full.loss === undefined) return boxes;
  const perplexity = number(Math.exp(shown.loss), 1);
  boxes.push(["perplexity of the text", perplexity, Math.min(1, shown.loss / 10), full.loss / 10, false]);
  return boxes;
}

/** @param {Said} frame */
export const scoresOf = (frame) => frame.scores ?? [frame.score ?? NaN];

/**
 * Where the bars of scores begin and end: at 0 or below, and at a round number.
 * @param {Said} full
 * @param {Said} shown
 * @returns {[number, number]}
 */
export function scoreRange(full, shown) {
  const all = [...scoresOf(full), ...scoresOf(shown)];
  const most = Math.max(...all);
  return [Math.min(0, ...all), [1, 5, 10, 100].find((end) => end >= most) ?? most];
}

/**
 * @param {Opening} open
 * @param {Said} full
 * @param {Said} shown
 */
function scores(open, full, shown) {
  const [low, high] = scoreRange(full, shown);
  const before = scoresOf(full);
  const now = scoresOf(shown);
  /** @param {number} score */
  const at = (score) => (score - low) / (high - low);
  const moved = now.map((score, i) => Math.abs(score - before[i]));
  const places = largest(moved, MOST).sort((a, b) => a - b);
  const boxes = places.map(
    /** @returns {AnswerBox} */
    (i) => [open.labels[i] ?? "score", number(now[i], 2), at(now[i]), at(before[i]), now.length === 1],
  );
  if (now.length > MOST) boxes.push([`${now.length - MOST} more scores`, "changed less", 0, null, false]);
  return boxes;
}

/**
 * What stands under the model's name.
 * @param {Opening} open
 * @param {Frame} full
 * @param {Frame} shown
 * @returns {AnswerBox[]}
 */
export function answerBoxes(open, full, shown) {
  if (open.output === "classification") return classes(open, full, shown);
  if (open.output === "regression") return scores(open, full, shown);
  if (shown.top) return words(full, shown);
  if (open.output !== "encoder") return [];
  return [["cosine to full budget", number(1 - shown.change), 1 - shown.change, 1, true]];
}

/**
 * Place of the first choice among the classes.
 * @param {Said} frame
 */
export const firstPlace = ({ probabilities = [], first }) => first ?? largest(probabilities, 1)[0];

/**
 * The model's first choice in a frame: a class or a word; null where it makes none.
 * @param {Opening} open
 * @param {Said} frame
 */
export function firstChoice(open, frame) {
  if (open.output === "classification") return className(open, firstPlace(frame));
  return frame.top ? spelled(frame.top[0][0]) : null;
}

/**
 * One sentence about the output at a budget.
 * @param {Store} store
 * @param {Frame | null | undefined} frame
 */
export function outputSentence(store, frame) {
  const { open, full } = store;
  if (!frame) return "The model's output at this budget is being computed.";
  if (frame.k === store.n) return `Every token may be read: this is the model's ${usual(store)}.`;
  if (open.output === "encoder")
    return `The embedding's cosine with that at full budget is ${number(1 - frame.change)}.`;
  if (open.output === "regression") {
    const change = number(frame.change, 2);
    if (frame.scores) return `The score that changes most changes by ${change}.`;
    return `The score changes by ${change} (${number(full.score, 2)} at full budget).`;
  }
  return choiceSentence(open, full, frame);
}

/** @param {Store} store */
const usual = ({ size }) => (size < 1 ? "output at this size" : "usual output");

/**
 * @param {Opening} open
 * @param {Frame} full
 * @param {Frame} frame
 */
function choiceSentence(open, full, frame) {
  const moved = `(${open.change_unit.replace(/, nats/, "")}: ${number(frame.change)} nats).`;
  const was = firstChoice(open, full);
  const is = firstChoice(open, frame);
  const guesses = frame.flipped ? "some predictions have flipped" : "no prediction has flipped";
  if (was === null) return `There is no mask in the text, so all tokens are predicted; ${guesses} ${moved}`;
  const what = WHAT[open.output] ?? "output";
  if (!frame.flipped) return `The ${what} is unchanged ${moved}`;
  if (was === is) return `The ${what} has flipped at another mask ${moved}`;
  return `The ${what} has flipped from “${was}” to “${is}” ${moved}`;
}

/** @type {Partial<Record<Opening["output"], string>>} */
const WHAT = { classification: "decision", "causal-lm": "next token", "masked-lm": "prediction for the mask" };
