// What a budget does, in six numbers.

import { make, write } from "../shared/dom.js";
import { number, percent } from "./numbers.js";

/** @import { Shown } from "./types.js" */

/** @type {[name: string, title: string][]} */
const FACTS = [
  ["price", "shadow price"],
  ["abandoned", "abandoned"],
  ["value", "value"],
  ["gap", "gap to the optimum"],
  ["accuracy", "accuracy"],
  ["used", "really used"],
];

export class Facts {
  #boxes = FACTS.map(([name, title]) => {
    const box = make("div", "fact");
    const [value, description] = [make("b"), make("span")];
    box.dataset.fact = name;
    box.append(title, value, description);
    return { name, box, value, description };
  });

  /** @param {HTMLElement} element */
  constructor(element) {
    element.replaceChildren(...this.#boxes.map(({ box }) => box));
  }

  /** @param {Shown} shown */
  draw(shown) {
    const facts = factsOf(shown);
    for (const { name, value, description } of this.#boxes) {
      const [number, words] = facts[name];
      write(value, number);
      write(description, words);
    }
  }
}

/**
 * A number and what it is, by the fact's name.
 * @param {Shown} shown
 * @returns {Record<string, [string, string]>}
 */
function factsOf(shown) {
  const { data, table, now } = shown;
  const gap = now.bound - now.value;
  const left = now.budget - now.handed;
  const unspent = number(left > 1e-9 * now.budget ? left : 0);
  return {
    price: [now.price === null ? "none" : number(now.price), priceWords(shown)],
    abandoned: [`${now.abandoned} of ${table.queries.length}`, abandonedWords(now)],
    value: [number(now.value), data.worth],
    gap: [
      number(gap > 1e-9 * now.bound ? gap : 0, 3),
      `at most: the bound, which no rule exceeds, is ${number(now.bound)}`,
    ],
    accuracy: [`${percent(now.accuracy)}%`, `${percent(now.low)} to ${percent(now.high)}, 95% over queries`],
    used: [number(now.used), `of ${number(now.handed)} allocated; ${unspent} unspent`],
  };
}

/** @param {Shown["now"]} now */
function abandonedWords({ price, abandoned, strict }) {
  const words = "queries that get nothing";
  return price !== null && strict > abandoned ? `${words}; ${strict} if equal queries all buy or none (CLEAR)` : words;
}

/** @param {Shown} shown */
function priceWords({ data, now }) {
  if (now.price === null) return `set by this rule; demand meets the budget at ${number(now.clearing)}`;
  const money = data.money > 0 ? `; ${number((now.price / data.money) * 1e6, 3)} per unit of currency` : "";
  return `${data.worth} for one more ${data.one}${money}`;
}
