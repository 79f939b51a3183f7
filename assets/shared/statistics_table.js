// The table of one head's statistics, and the list of how they are computed.

import { make, write } from "./dom.js";
import { MOVED, STATISTICS } from "./words.js";

/** @import { StatisticName, Statistics, Unit } from "./types.js" */

/** @type {StatisticName[]} */
const ROWS = ["gini", "entropy", "effective_number", "top_share_10", "gini_inside"];

/**
 * A row for each statistic of the tables.
 * @param {string[]} kinds Classes of the cells.
 */
export const statisticRows = (kinds) =>
  ROWS.map((name) => {
    const row = make("tr", "value");
    const label = make("th", "", STATISTICS[name].label);
    const cells = kinds.map((kind) => make("td", kind));
    label.scope = "row";
    row.dataset.statistic = name;
    row.append(label, ...cells);
    return { name, row, label, cells };
  });

/**
 * What every statistic is and how it is computed.
 * @param {HTMLElement} list
 */
export function explainStatistics(list) {
  const all = [...Object.values(STATISTICS), MOVED];
  list.replaceChildren(...all.flatMap(({ label, how }) => [make("dt", "", label), make("dd", "", how)]));
}

/** At full budget and at this one, with a sentence below each statistic. */
export class StatisticsTable {
  #rows = statisticRows(["", "now"]).map((row) => ({ ...row, say: make("td", "say") }));

  /** @param {HTMLElement} body */
  constructor(body) {
    body.replaceChildren(
      ...this.#rows.flatMap(({ row, say }) => {
        const below = make("tr");
        say.colSpan = 3;
        below.append(say);
        return [row, below];
      }),
    );
  }

  /**
   * @param {Statistics | null} full
   * @param {Statistics | null} now
   * @param {Unit} unit
   */
  show(full, now, unit) {
    for (const { name, cells } of this.#rows) {
      const { format } = STATISTICS[name];
      write(cells[0], full ? format(full[name], unit) : "—");
      write(cells[1], now ? format(now[name], unit) : "—");
    }
  }

  /**
   * With `missing`, there are no numbers and the pictures say why; the lines stay, so that the page does not jump.
   * @param {Statistics | null} now
   * @param {number} n
   * @param {string} missing
   */
  say(now, n, missing) {
    const why = missing ? "\u00a0" : "Only special tokens were read here.";
    for (const { name, say } of this.#rows)
      write(say, now && !Number.isNaN(now[name]) ? STATISTICS[name].say(now[name], n, now) : why);
  }
}
