// The pictures of the Allocation page in words.

import { FUNDED, LEFT_OUT, PASSED, tangent } from "./curves.js";
import { amount, number } from "./numbers.js";

/** @import { Playback, Shown } from "./types.js" */

/**
 * Why a query got what it got.
 * @param {Pick<Shown, "table" | "now">} shown
 * @param {number} i
 */
export function why({ table, now }, i) {
  const sentence = table.sentences[Number(now.reasons[i])];
  return sentence.replaceAll("{price}", number(now.price)).replaceAll("{choke}", number(table.choke[i]));
}

const CROSS =
  "Vertical: the budget, which does not depend on the price. Falling: total demand at each price. " +
  "Where they meet is the shadow price: what one more unit would bring.";

/**
 * What the market's picture shows, in a sentence.
 * @param {Shown} shown
 */
export function marketNote(shown) {
  const { now } = shown;
  const spare = now.budget - now.handed;
  if (now.clearing === 0) return "The budget exceeds total demand: the price is 0.";
  if (now.price === null) return "This rule sets no price; the market's is drawn.";
  if (spare <= 1e-9 * now.budget) return CROSS;
  return `Demand jumps at this price, because queries give up all at once: ${amount(shown, spare)} remain unspent.`;
}

/**
 * What the curve's picture shows, in a sentence.
 * @param {Shown} shown
 */
export function curveNote(shown) {
  const { table, now, view } = shown;
  const { spend, base, ...line } = tangent(shown, view.query);
  const code = now.reasons[view.query];
  const choke = number(table.choke[view.query]);
  const price = number(line.price);
  const bought = `It buys at prices below ${choke}.`;
  const costs = `Dashed: the cost of any spend at the price ${price}.`;
  if (now.price === null) return `Dashed: the market's price ${price} as a slope; this rule ignores it. ${bought}`;
  if (code === FUNDED)
    return (
      `Dashed: a line of slope ${price}, the price, the same for every funded query (thin: others). ` +
      `It meets the axis at the surplus ${number(base, 3)} (value − cost).`
    );
  if (!(table.choke[view.query] > 0)) return `No spend in this query's curve has any value. ${costs}`;
  if (spend > 0)
    return (
      `Dashed: a line of slope ${price}, the price, through what it got. ` +
      "Where the curve is above the line, a different spend would give more surplus."
    );
  if (code === LEFT_OUT || code === PASSED)
    return `${costs} The curve reaches it: this query is worth its price but got nothing.`;
  return `${costs} The curve never rises above it, so buying nothing is best. ${bought}`;
}

/**
 * What the arrivals' picture shows, in sentences.
 * @param {Shown} shown
 * @param {Playback} playback
 */
export function playbackNote(shown, { offline, used, value, bound, recycled, service }) {
  const regret = number(Math.max(0, bound - value), 3);
  const sentences = [
    "Our method, not the paper's: the price is what is left against the demand still expected.",
    `Dashed: with all arrivals known in advance, at the price ${number(offline)}.`,
    `In the end ${amount(shown, used)} are used, worth ${number(value)}; with all arrivals known, ` +
      `no rule could exceed ` +
      `${number(bound)} with caps alone, so the regret is at most ${regret}.`,
  ];
  if (recycled > 0) sentences.push(`${amount(shown, recycled)} of the caps were unused and returned to the budget.`);
  if (service > 0) sentences.push(`Every query was guaranteed ${amount(shown, service)}.`);
  return sentences.join(" ");
}
