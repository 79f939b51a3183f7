// The budget bar, the switches, the badge, the answers: everything that takes input or says a word.

import { badgeOf, drawTicks, showBadge, stopOf } from "../shared/budget.js";
import { updateOutput, write } from "../shared/panels.js";
import { sharedInputs } from "../shared/stage.js";
import { ATLAS, readsSentence } from "../shared/words.js";

export class Controls {
  constructor(owner) {
    this.owner = owner;
    Object.assign(this, sharedInputs(owner, ATLAS));
    owner.$(".python").addEventListener("click", () => this.copyPython());
  }

  opened() {
    this.range.max = this.owner.stops.length - 1;
    this.range.disabled = this.owner.store.n < 2;
  }

  draw() {
    const { owner } = this;
    const { store, view } = owner;
    const { n } = store;
    if (document.activeElement !== this.range || owner.stops[+this.range.value] !== view.k)
      this.range.value = stopOf(owner.stops, view.k);
    write(owner.$(".k"), `${view.k} of ${n} (${Math.round((100 * view.k) / n)} %)`);
    this.range.setAttribute("aria-valuetext", `${view.k} of ${n} keys`);
    const frame = store.frames.get(view.k);
    updateOutput({ answers: owner.$(".answers"), verdict: owner.$(".verdict") }, store, frame);
    write(owner.$(".reads"), readsSentence(store, view.k));
    this.select.value = view.statistic;
    this.showSwitches(view);
    this.ticks();
    this.badge();
  }

  /** Marks the budgets that have been computed: there the picture is exact. */
  ticks() {
    const { owner } = this;
    const { stops, store, colours } = owner;
    const width = owner.figures.widths.ticks;
    const drawn = [width, stops.length, store.frames.size, colours.accent].join();
    if (this.ticksOf === store && this.ticksDrawn === drawn) return; // budgets only come; a drag changes nothing here
    Object.assign(this, { ticksOf: store, ticksDrawn: drawn });
    drawTicks(owner.$(".ticks"), width, stops, (k) => store.isExact(k), colours.accent);
  }

  /** Says how the page knows what it shows. */
  badge() {
    showBadge(this.owner.$(".badge"), badgeOf(this.owner.feed, this.owner.view.k));
  }

  async copyPython() {
    const { owner } = this;
    const { view, spec } = owner;
    const button = owner.$(".python");
    const code = spec.python.replace("__K__", view.k).replace("__LAYER__", view.layer).replace("__HEAD__", view.head);
    try {
      await navigator.clipboard.writeText(code);
      button.textContent = "Copied";
    } catch {
      window.prompt("Copy this script", code);
    }
    setTimeout(() => {
      button.textContent = "Copy as Python";
    }, 1500);
  }
}
