// The budget bar, the badges, the answers, and the table of statistics: everything that takes input or says a word.

import { badgeOf, drawTicks, OLDER, showBadge, showBudget } from "../shared/budget.js";
import { find, make, press, write } from "../shared/dom.js";
import { sharedInputs } from "../shared/inputs.js";
import { Output } from "../shared/output.js";
import { widthOf } from "../shared/stage.js";
import { CALM } from "./blink.js";
import { ComputeBars } from "./compute_bars.js";
import { StatisticsTable } from "./statistics_table.js";
import { agreementSentence, alignmentNotes, disagreementSentence, disagreements } from "./words.js";

/** @import { Owner } from "./main.js" */
/** @import { OpenSide, Side } from "./side.js" */

const BLINKS = "Alternates A and B in A's panel. Press again to stop.";
const BLINKS_CALMLY = "Shows B in A's panel; press again for A. Nothing moves by itself.";

/** @param {number} x */
const million = (x) => `${(x / 1e6).toFixed(2)} M`;

/** What one side says about itself. */
class SideHead {
  /**
   * @param {Owner} owner
   * @param {Side} side
   */
  constructor(owner, side) {
    const box = owner.$(`.side[data-side=${side.name}]`);
    this.side = side;
    this.badge = find(box, ".badge");
    this.name = find(box, ".name");
    this.problem = find(box, ".problem");
    this.output = new Output(find(box, ".answers"), find(box, ".verdict"));
  }

  showAnswer() {
    const { side, output } = this;
    output.hidden = !side.isShown;
    if (side.store && side.isShown) output.show(side.store, side.frame);
  }

  sayAnswer() {
    const { side, output } = this;
    if (side.store && side.isShown) output.say(side.store, side.frame);
  }

  showBadge() {
    const { side, badge, name } = this;
    const title = side.spec?.title ?? "no checkpoint";
    const known = side.host.isOlder ? OLDER : badgeOf(side.feed, side.store ? side.k : 0);
    showBadge(badge, side.problem ? ["busy", "failed", side.problem] : known);
    write(name, title);
    if (name.title !== title) name.title = title;
  }

  showProblem() {
    const { letter, problem } = this.side;
    write(this.problem, problem && `${letter}: ${problem}`);
    this.problem.hidden = !problem;
  }
}

export class Controls {
  #ticksWidth = 120;
  #ticksDrawn = "";
  #disagreementsOf = "";

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    this.inputs = sharedInputs(owner);
    this.compute = new ComputeBars(owner);
    this.blink = owner.$(".blink");
    this.blink.addEventListener("click", () => owner.blink.toggle());
    this.blink.title = CALM.matches ? BLINKS_CALMLY : BLINKS;
    owner.$(".swap").addEventListener("click", () => owner.swap());
    this.heads = owner.sides.map((side) => new SideHead(owner, side));
    this.table = new StatisticsTable(owner);
  }

  opened() {
    const { owner, inputs } = this;
    const { both, spec } = owner;
    inputs.range.max = String(owner.stops.length - 1);
    inputs.range.disabled = owner.n < 2;
    this.#ticksDrawn = "";
    this.#disagreementsOf = "";
    this.compute.opened();
    const aligned = both ? alignmentNotes(both.alignment, both.a.store, both.b.store) : [];
    const notes = [...(spec?.notes ?? []), ...aligned];
    const list = owner.$(".notes");
    list.replaceChildren(...notes.map((note) => make("li", "", note)));
    list.hidden = !notes.length;
  }

  measure() {
    this.#ticksWidth = widthOf(this.inputs.ticks);
    this.compute.measure();
  }

  draw() {
    const { owner, inputs } = this;
    const { both } = owner;
    showBudget(inputs, owner.stops, owner.k, owner.n);
    /** @param {OpenSide} side */
    const cap = (side) => `${side.letter} ${side.k} of ${side.store.n}`;
    const differ = both && both.a.store.n !== both.b.store.n;
    write(owner.$(".caps"), differ ? `${cap(both.a)} · ${cap(both.b)}` : "");
    for (const head of this.heads) head.showAnswer();
    this.table.draw();
    this.#ticks();
    this.compute.draw();
    this.badges();
  }

  say() {
    const { owner, inputs } = this;
    const { view } = owner;
    write(owner.$(".reads"), this.#reads());
    inputs.select.value = view.statistic;
    inputs.showSwitches(view);
    press(this.blink, Boolean(owner.blink.shown));
    for (const head of this.heads) head.sayAnswer();
    this.#agreement();
    this.table.say();
    this.problems();
  }

  #reads() {
    const parts = this.owner.open.map(({ letter, store, k }) => {
      const { macs, grid } = store.open;
      if (!macs.executed) return "";
      const runs = `${letter} runs ${million(macs.executed)} MACs at any k`;
      const i = grid.indexOf(k);
      if (i < 0 || !macs.read) return `${runs}.`;
      const [read, all] = [macs.read[i], macs.read[grid.length - 1]].map(million);
      return `${runs}, ${read} of ${all} if only these values were read.`;
    });
    const base = "Reads, not latency: exact top-k scores every key, then masks.";
    return [base, ...parts.filter(Boolean)].join(" ");
  }

  #agreement() {
    const { owner } = this;
    const { both } = owner;
    const disagree = owner.$(".disagreement");
    if (!both) {
      write(owner.$(".agreement"), "");
      return write(disagree, "");
    }
    const { a, b } = both;
    write(owner.$(".agreement"), agreementSentence(a.store, b.store, a.frame, b.frame));
    const computed = [a, b].flatMap(({ feed, store }) => [feed.shownId, store.size, store.frames.size]).join();
    if (this.#disagreementsOf === computed) return; // budgets only come; a drag changes nothing here
    this.#disagreementsOf = computed;
    write(disagree, disagreementSentence(disagreements(a.store, b.store)));
  }

  /** The selection in words: one layer and head where both count alike. */
  headName() {
    const [one, other] = this.owner.open.map((side) => side.place);
    if (!one) return "";
    if (!other || one.layer === other.layer) return `Layer ${one.layer} · head ${one.head}`;
    return `Layer ${one.layer} of A, ${other.layer} of B · head ${one.head}`;
  }

  /** Marks the budgets that have been computed in all that is shown. */
  #ticks() {
    const { stops, open, colours } = this.owner;
    const computed = open.flatMap(({ store }) => [store.size, store.frames.size]);
    const drawn = [this.#ticksWidth, stops.length, ...computed, colours.accent].join();
    if (this.#ticksDrawn === drawn) return;
    this.#ticksDrawn = drawn;
    /** @param {number} k */
    const isExact = (k) => open.every((side) => side.store.isExact(k));
    drawTicks(this.inputs.ticks, this.#ticksWidth, stops, isExact, colours.accent);
  }

  badges() {
    const { sides, open, spec } = this.owner;
    const isRefused = spec?.error || sides.every((side) => side.problem);
    this.owner.showOlder(isRefused ? open[0]?.store : null);
    for (const head of this.heads) head.showBadge();
  }

  problems() {
    for (const head of this.heads) head.showProblem();
  }
}
