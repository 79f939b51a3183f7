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
  "Vertical: the budget, which does not depend on the price. Falling: what all want at a price. " +
  "Where they meet is the shadow price: what one more unit would bring.";

/**
 * What the market's picture shows, in a sentence.
 * @param {Shown} shown
 */
export function marketNote(shown) {
  const { now } = shown;
  const spare = now.budget - now.handed;
  if (now.clearing === 0) return "The budget is more than anybody wants: the price is 0.";
  if (now.price === null) return "This rule sets no price; the one drawn is the market's.";
  if (spare <= 1e-9 * now.budget) return CROSS;
  return `Demand jumps at this price, because queries give up all at once: ${amount(shown, spare)} stay unspent.`;
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
  const bought = `At a price below ${choke} it would be bought.`;
  const costs = `Dashed: what any spend costs at the price ${price}.`;
  if (now.price === null)
    return `Dashed: the market's price ${price} as a slope; this rule does not heed it. ${bought}`;
  if (code === FUNDED)
    return (
      `Dashed: a line of slope ${price}, the price, the same for every funded query (thin: others). ` +
      `It meets the axis at the surplus ${number(base, 3)}: value less what the spend costs.`
    );
  if (!(table.choke[view.query] > 0)) return `Nothing that this query could buy is seen to bring anything. ${costs}`;
  if (spend > 0)
    return (
      `Dashed: a line of slope ${price}, the price, through what it got. ` +
      "Where the curve is above the line, another spend would leave more surplus."
    );
  if (code === LEFT_OUT || code === PASSED)
    return `${costs} The curve reaches it: this query is worth its price, and got nothing.`;
  return `${costs} The curve is nowhere above it, so buying nothing is best. ${bought}`;
}

/**
 * What the arrivals' picture shows, in sentences.
 * @param {Shown} shown
 * @param {Playback} playback
 */
export function playbackNote(shown, { offline, used, value, bound, recycled, service }) {
  const regret = number(Math.max(0, bound - value), 3);
  const sentences = [
    "Ours, not the paper's: the price follows what is spent.",
    `Dashed: somebody who knows all arrivals, at the price ${number(offline)}.`,
    `In the end ${amount(shown, used)} are used, worth ${number(value)}; knowing all, nobody could exceed ` +
      `${number(bound)} with caps alone, so the regret is at most ${regret}.`,
  ];
  if (recycled > 0)
    sentences.push(`${amount(shown, recycled)} of the caps were not used up and went back into the budget.`);
  if (service > 0) sentences.push(`Everybody was sure of ${amount(shown, service)}.`);
  return sentences.join(" ");
}
