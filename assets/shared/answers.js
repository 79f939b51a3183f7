// What the model says at a budget beside what it says at full budget: which classes, words or scores stand on the page.

import { number } from "./words.js";

const MOST = 8;
const TOP = MOST / 2;

/** Places of the largest values, the largest first and of equals the first. */
const largest = (values, n) =>
  values
    .map((_, i) => i)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, n);

/** Places that are shown: all of a few; else the first four at full budget, then those that are among the first four now. */
export function shownPlaces(full, now) {
  if (now.length <= MOST) return now.map((_, i) => i);
  return [...new Set([...largest(full, TOP), ...largest(now, TOP)])];
}

const sum = (values, places) => places.reduce((total, i) => total + values[i], 0);
const labelOf = (open, i, what) => open.labels[i] ?? `${what} ${i}`;

function classes(open, full, shown) {
  const before = full.probabilities;
  const now = shown.probabilities;
  const places = shownPlaces(before, now);
  const first = firstPlace(shown);
  if (!places.includes(first)) places.push(first);
  const boxes = places.map((i) => [labelOf(open, i, "class"), number(now[i]), now[i], before[i], i === first]);
  const rest = now.map((_, i) => i).filter((i) => !places.includes(i));
  if (rest.length)
    boxes.push([
      `${rest.length} more ${rest.length > 1 ? "classes" : "class"}`,
      number(sum(now, rest)),
      sum(now, rest),
      sum(before, rest),
      false,
    ]);
  return boxes;
}

/** Words, the likeliest now; and the one that was first at full budget, of which nothing is known but that it is behind. */
function words(full, shown) {
  const before = new Map(full.top);
  const [was, share] = full.top[0];
  const last = shown.top.at(-1)[1];
  const boxes = shown.top.map(([word, p], i) => [spelled(word), number(p), p, before.get(word) ?? null, i === 0]);
  if (!shown.top.some(([word]) => word === was)) boxes.push([spelled(was), `< ${number(last)}`, 0, share, false]);
  if (shown.loss !== undefined)
    boxes.push([
      "perplexity of the text",
      number(Math.exp(shown.loss), 1),
      Math.min(1, shown.loss / 10),
      full.loss / 10,
      false,
    ]);
  return boxes;
}

/** Where the bars of scores begin and end: at 0 or below, and at a round number. */
export function scoreRange(full, shown) {
  const all = [...scoresOf(full), ...scoresOf(shown)];
  const most = Math.max(...all);
  return [Math.min(0, ...all), [1, 5, 10, 100].find((end) => end >= most) ?? most];
}

const scoresOf = (frame) => frame.scores ?? [frame.score];

function scores(open, full, shown) {
  const [low, high] = scoreRange(full, shown);
  const before = scoresOf(full);
  const now = scoresOf(shown);
  const at = (score) => (score - low) / (high - low);
  const places =
    now.length > MOST
      ? largest(
          now.map((score, i) => Math.abs(score - before[i])),
          MOST,
        ).sort((a, b) => a - b)
      : now.map((_, i) => i);
  const boxes = places.map((i) => [
    open.labels[i] ?? "score",
    number(now[i], 2),
    at(now[i]),
    at(before[i]),
    now.length === 1,
  ]);
  if (now.length > MOST) boxes.push([`${now.length - MOST} more scores`, "moved less", 0, null, false]);
  return boxes;
}

/** What stands under the model's name: name, number, share of the bar, its mark at full budget, and whether it is the answer. */
export function answerBoxes(open, full, shown) {
  if (open.output === "classification") return classes(open, full, shown);
  if (open.output === "regression") return scores(open, full, shown);
  if (shown.top) return words(full, shown);
  return open.output === "encoder"
    ? [["cosine to full budget", number(1 - shown.change), 1 - shown.change, 1, true]]
    : [];
}

/** Place of the first choice among the classes. */
export const firstPlace = ({ probabilities, first }) => first ?? largest(probabilities, 1)[0];
const spelled = (word) => JSON.stringify(word).slice(1, -1);

/** The model's first choice in a frame: a class or a word; null where it makes none. */
export function firstChoice(open, frame) {
  if (open.output === "classification") return labelOf(open, firstPlace(frame), "class");
  return frame.top ? spelled(frame.top[0][0]) : null;
}

/** One sentence about the output at a budget. */
export function outputSentence(store, frame) {
  const { open, full } = store;
  if (!frame) return "The model's output at this budget is being computed.";
  if (frame.k === store.n) return "Every token may be read: this is the model's normal output.";
  if (open.output === "regression" && frame.scores)
    return `The score that moves most moves by ${number(frame.change, 2)}.`;
  if (open.output === "regression")
    return `The score moves by ${number(frame.change, 2)} (${number(full.score, 2)} at full budget).`;
  if (open.output === "encoder")
    return `The text's embedding keeps a cosine of ${number(1 - frame.change)} with its full-budget self.`;
  const moved = `(${open.change_unit.replace(/, nats/, "")}: ${number(frame.change)} nats).`;
  const was = firstChoice(open, full);
  const is = firstChoice(open, frame);
  if (was === null)
    return `There is no mask in the text, so all tokens are guessed; ${frame.flipped ? "some guesses have flipped" : "no guess has flipped"} ${moved}`;
  const what = { classification: "decision", "causal-lm": "next token", "masked-lm": "guess for the mask" }[
    open.output
  ];
  if (!frame.flipped) return `The ${what} is unchanged ${moved}`;
  return was === is
    ? `The ${what} has flipped at another mask ${moved}`
    : `The ${what} has flipped from “${was}” to “${is}” ${moved}`;
}
