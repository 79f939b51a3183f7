// The statistics of both sides and their differences, and how much of those is which heads are left.

import { findAll, write } from "../shared/dom.js";
import { explainStatistics, statisticRows } from "../shared/statistics_table.js";
import { labelOf, STATISTICS, viewSentence } from "../shared/words.js";
import { headMean, selectionControl } from "./heads.js";
import { difference, selectionSentence } from "./words.js";

/** @import { StatisticName } from "../shared/types.js" */
/** @import { Owner } from "./main.js" */

const EXACT = "All numbers are exact, from forward passes at this budget.";

export class StatisticsTable {
  #rows = statisticRows(["now", "now", "difference", "mean", "mean", "difference"]);

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    owner.$("table.stats tbody").append(...this.#rows.map(({ row }) => row));
    explainStatistics(owner.$("dl"));
    this.selections = findAll(owner.root, ".selection");
  }

  draw() {
    const { owner } = this;
    const ofHead = owner.sides.map((side) => side.statistics());
    for (const { name, cells } of this.#rows) {
      const here = ofHead.map((statistics) => statistics?.[name]);
      const means = owner.sides.map((side) =>
        side.store && side.isShown ? headMean(side.ofHeads(name), side.store) : undefined,
      );
      const texts = [...this.#three(name, here), ...this.#three(name, means)];
      cells.forEach((cell, i) => {
        write(cell, texts[i]);
      });
    }
  }

  say() {
    const { owner } = this;
    for (const { name, label } of this.#rows) write(label, labelOf(name, owner.view.unit));
    write(owner.$(".stats .this"), owner.controls.headName());
    write(owner.$(".viewnote"), viewSentence(owner.view));
    write(owner.$(".statnote"), this.#note());
    this.#selections();
  }

  /**
   * A's value, B's and their difference.
   * @param {StatisticName} name
   * @param {(number | undefined)[]} values
   */
  #three(name, values) {
    const { unit } = this.owner.view;
    /** @param {number | undefined} v */
    const format = (v) =>
      v === undefined || Number.isNaN(v) ? "—" : STATISTICS[name].format(v, unit).replace(` ${unit}`, "");
    const [a, b] = values;
    return [format(a), format(b), difference(name, a, b, unit)];
  }

  #note() {
    const preview = this.owner.open.filter((side) => !side.frame);
    if (!preview.length) return EXACT;
    const budgets = preview.map(({ letter, store, k }) => {
      return `${letter} at its nearest computed budget, k = ${store.nearestFrame(k).k}`;
    });
    return `Numbers of this head are a preview; those of all heads are exact: ${budgets.join(", ")}.`;
  }

  #selections() {
    const { owner } = this;
    const { both } = owner;
    owner.$(".selectionhead").hidden = !both;
    for (const box of this.selections) {
      const { name } = this.#rows.find((row) => row.name === box.dataset.of) ?? this.#rows[0];
      if (!both) write(box, "");
      if (!both) continue;
      const { a, b } = both;
      const control = selectionControl(a.store, b.store, a.ofHeads(name), b.ofHeads(name));
      write(box, `${STATISTICS[name].label}: ${selectionSentence(name, control, owner.view.unit)}`);
    }
  }
}
