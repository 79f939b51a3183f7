// The budget bar, the switches, the badge, the answers: everything that takes input or says a word.

import { badgeOf, drawTicks, OLDER, showBadge, showBudget } from "../shared/budget.js";
import { ComputeBar } from "../shared/compute_bar.js";
import { find, write } from "../shared/dom.js";
import { sharedInputs } from "../shared/inputs.js";
import { Output } from "../shared/output.js";
import { widthOf } from "../shared/stage.js";
import { readsSentence } from "../shared/words.js";

/** @import { Store } from "../shared/store.js" */
/** @import { Owner } from "./main.js" */

export class Controls {
  #ticksWidth = 120;
  #ticksDrawn = "";

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    this.inputs = sharedInputs(owner);
    this.compute = new ComputeBar(owner.$(".bar"), { move: (size) => owner.moveSize(size), tell: () => owner.tell() });
    this.output = new Output(owner.$(".answers"), owner.$(".verdict"));
    this.python = find(owner.root, ".python", HTMLButtonElement);
    this.python.addEventListener("click", () => this.#copyPython());
  }

  /** @param {Store} store */
  opened(store) {
    this.inputs.range.max = String(this.owner.stops.length - 1);
    this.inputs.range.disabled = store.n < 2;
    this.#ticksDrawn = "";
    this.compute.opened(store);
  }

  measure() {
    this.#ticksWidth = widthOf(this.inputs.ticks);
    this.compute.measure();
  }

  /** @param {Store} store */
  draw(store) {
    const { owner, inputs } = this;
    const { view, colours } = owner;
    showBudget(inputs, owner.stops, view.k, store.n);
    this.output.show(store, store.frames.get(view.k));
    this.#ticks(store);
    this.compute.draw(owner.feed, view, colours);
    this.badge();
  }

  /** @param {Store} store */
  say(store) {
    const { owner, inputs } = this;
    const { view } = owner;
    this.output.say(store, store.frames.get(view.k));
    write(owner.$(".reads"), readsSentence(store, view.k));
    inputs.select.value = view.statistic;
    inputs.showSwitches(view);
  }

  /**
   * Marks the budgets that have been computed: there the picture is exact.
   * @param {Store} store
   */
  #ticks(store) {
    const { stops, colours } = this.owner;
    const drawn = [this.#ticksWidth, stops.length, store.size, store.frames.size, colours.accent].join();
    if (this.#ticksDrawn === drawn) return; // budgets only come; a drag changes nothing here
    this.#ticksDrawn = drawn;
    drawTicks(this.inputs.ticks, this.#ticksWidth, stops, (k) => store.isExact(k), colours.accent);
  }

  /** Shows what is wanted, while that is on its way. */
  wait() {
    this.compute.draw(this.owner.feed, this.owner.view, this.owner.colours);
    this.badge();
  }

  /** Says how the page knows what it shows. */
  badge() {
    showBadge(this.owner.$(".badge"), this.owner.isOlder ? OLDER : badgeOf(this.owner.feed, this.owner.view.k));
  }

  async #copyPython() {
    const { view, spec, feed } = this.owner;
    if (!spec) return;
    const places = { __K__: view.k, __LAYER__: view.layer, __HEAD__: view.head, __SIZE__: feed.sized.wanted };
    const code = Object.entries(places).reduce((text, [name, at]) => text.replace(name, String(at)), spec.python);
    try {
      await navigator.clipboard.writeText(code);
      this.python.textContent = "Copied";
    } catch {
      window.prompt("Copy this script", code);
    }
    setTimeout(() => {
      this.python.textContent = "Copy as Python";
    }, 1500);
  }
}
