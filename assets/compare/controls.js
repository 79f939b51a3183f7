// The budget bar, the badges, the answers, and the table of statistics: everything that takes input or says a word.

import { badgeOf, drawTicks, showBadge, stopOf } from "../shared/budget.js";
import { make, updateOutput, write } from "../shared/panels.js";
import { sharedInputs } from "../shared/stage.js";
import { ATLAS, MOVED, STATISTICS, VIEW_WORDS } from "../shared/words.js";
import { headMean, selectionControl } from "./heads.js";
import {
  agreementSentence,
  alignmentNotes,
  difference,
  disagreementSentence,
  disagreements,
  selectionSentence,
} from "./words.js";

const ROWS = ["gini", "entropy", "effective_number", "top_share_10", "gini_inside"];
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const million = (x) => `${(x / 1e6).toFixed(2)} M`;

export class Controls {
  constructor(owner) {
    this.owner = owner;
    const $ = (s) => owner.$(s);
    Object.assign(this, sharedInputs(owner, ATLAS));
    $(".swap").addEventListener("click", () => owner.swap());
    $(".blink").addEventListener("click", () => owner.blink());
    $(".blink").title = CALM.matches
      ? "Shows B in A's place; press again for A. Nothing moves by itself."
      : "Shows A and B in turn, in A's place. Press again to stop.";
    this.cells = this.#table($("table.stats").tBodies[0]);
    $("dl").replaceChildren(
      ...Object.values(STATISTICS)
        .concat(MOVED)
        .flatMap((s) => [make("dt", "", s.label), make("dd", "", s.how)]),
    );
    this.boxes = Object.fromEntries(
      ["a", "b"].map((side) => [
        side,
        Object.fromEntries(
          ["badge", "name", "problem", "answers", "verdict"].map((part) => [
            part,
            $(`.side[data-side=${side}] .${part}`),
          ]),
        ),
      ]),
    );
  }

  #table(body) {
    return ROWS.map((name) => {
      const row = make("tr", "value");
      const label = make("th", "", STATISTICS[name].label);
      const cells = ["now", "now", "difference", "mean", "mean", "difference"].map((kind) => make("td", kind));
      label.scope = "row";
      row.dataset.statistic = name;
      row.append(label, ...cells);
      body.append(row);
      return { name, cells, label };
    });
  }

  opened() {
    const { owner } = this;
    this.range.max = owner.stops.length - 1;
    this.range.disabled = owner.n < 2;
    this.ticksDrawn = null;
    const notes = [
      ...owner.spec.notes,
      ...(owner.both ? alignmentNotes(owner.alignment, owner.a.store, owner.b.store) : []),
    ];
    const list = owner.$(".notes");
    list.replaceChildren(...notes.map((note) => make("li", "", note)));
    list.hidden = !notes.length;
  }

  draw() {
    const { owner } = this;
    const { view, n, k } = owner;
    if (document.activeElement !== this.range || owner.stops[+this.range.value] !== k)
      this.range.value = stopOf(owner.stops, k);
    write(owner.$(".k"), `${k} of ${n} (${Math.round((100 * k) / n)} %)`);
    write(
      owner.$(".caps"),
      owner.both && owner.a.store.n !== owner.b.store.n
        ? `A ${owner.a.k} of ${owner.a.store.n} · B ${owner.b.k} of ${owner.b.store.n}`
        : "",
    );
    this.range.setAttribute("aria-valuetext", `${k} of ${n} keys`);
    write(owner.$(".reads"), this.#reads());
    this.select.value = view.statistic;
    this.showSwitches(view);
    const pressed = String(Boolean(owner.blinking));
    const blink = owner.$(".blink");
    if (blink.ariaPressed !== pressed) blink.ariaPressed = pressed;
    this.#answers();
    this.#statistics();
    this.#ticks();
    this.badges();
    this.problems();
  }

  #reads() {
    const { owner } = this;
    const parts = owner.open.map(({ name, store, k }) => {
      const { macs, grid } = store.open;
      const i = grid.indexOf(k);
      return macs.executed
        ? `${name.toUpperCase()} runs ${million(macs.executed)} MACs at any k${i >= 0 ? `, ${million(macs.read[i])} of ${million(macs.read.at(-1))} if it read only these values` : ""}`
        : "";
    });
    return [
      "Reads, not latency: exact top-k scores every key and masks.",
      ...parts.filter(Boolean).map((part) => `${part}.`),
    ].join(" ");
  }

  #answers() {
    const { owner } = this;
    for (const side of owner.sides) {
      const { answers, verdict } = this.boxes[side.name];
      const shown = owner.open.includes(side);
      answers.hidden = verdict.hidden = !shown;
      if (shown) updateOutput({ answers, verdict }, side.store, side.frame);
    }
    const agree = owner.$(".agreement");
    const disagree = owner.$(".disagreement");
    if (!owner.both) {
      write(agree, "");
      write(disagree, "");
      return;
    }
    const { a, b } = owner;
    const frames = a.store.frames.size + b.store.frames.size;
    write(agree, agreementSentence(a.store, b.store, a.frame, b.frame));
    if (this.disagreeOf !== a.store || this.disagreeFrames !== frames) {
      // budgets only come; a drag changes nothing here
      Object.assign(this, { disagreeOf: a.store, disagreeFrames: frames });
      write(disagree, disagreementSentence(disagreements(a.store, b.store)));
    }
  }

  #statistics() {
    const { owner } = this;
    const { view, a, b } = owner;
    const ofHead = [a, b].map((side) => side.statistics());
    const shown = [a, b].map((side) => owner.open.includes(side));
    const format = (name, v) =>
      v === undefined || v === null || Number.isNaN(v)
        ? "—"
        : STATISTICS[name].format(v, view.unit).replace(` ${view.unit}`, "");
    const means = {};
    const values = {};
    for (const { name, cells, label } of this.cells) {
      if (name === "entropy") write(label, `${STATISTICS[name].label}, ${view.unit}`);
      values[name] = [a, b].map((side, i) => (shown[i] ? side.ofHeads(name) : null));
      means[name] = [a, b].map((side, i) => (shown[i] ? headMean(values[name][i], side.store) : NaN));
      const numbers = [ofHead[0]?.[name], ofHead[1]?.[name]];
      const texts = [
        ...numbers.map((v) => format(name, v)),
        difference(name, ...numbers, view.unit),
        ...means[name].map((v) => format(name, v)),
        difference(name, ...means[name], view.unit),
      ];
      texts.forEach((text, i) => write(cells[i], text));
    }
    write(owner.$(".stats .this"), this.headName());
    write(
      owner.$(".viewnote"),
      `${view.view === "row" ? "Row view" : "Received view"}: ${VIEW_WORDS[view.view]}${view.tokens === "content" ? "; special tokens left out" : ""}.`,
    );
    write(owner.$(".statnote"), this.#statNote());
    for (const box of owner.root.querySelectorAll(".selection")) {
      const { of: name } = box.dataset;
      const control = owner.both ? selectionControl(a.store, b.store, ...values[name]) : null;
      write(box, control ? `${STATISTICS[name].label}: ${selectionSentence(name, control, view.unit)}` : "");
    }
    owner.$(".selectionhead").hidden = !owner.both;
  }

  #statNote() {
    const { open } = this.owner;
    const notes = [];
    const preview = open
      .filter((side) => !side.frame)
      .map((side) => `${side.name.toUpperCase()} at its nearest computed budget, k = ${side.nearest.k}`);
    if (preview.length)
      notes.push(`Numbers of this head are a preview; those of all heads are exact: ${preview.join(", ")}.`);
    else notes.push("All numbers are exact, from forward passes at this budget.");
    return notes.join(" ");
  }

  /** The selection in words: one layer and head where both count alike. */
  headName() {
    const { owner } = this;
    const { head } = owner.open[0].place;
    const layers = owner.open.map((side) => side.place.layer);
    if (layers.length < 2 || layers[0] === layers[1]) return `Layer ${layers[0]} · head ${head}`;
    return `Layer ${layers[0]} of A, ${layers[1]} of B · head ${head}`;
  }

  /** Marks the budgets that have been computed in all that is shown. */
  #ticks() {
    const { owner } = this;
    const { stops, open, colours } = owner;
    const width = owner.figures.widths.ticks;
    const drawn = [width, stops.length, ...open.map((side) => side.store.frames.size), colours.accent].join();
    if (this.ticksDrawn === drawn) return;
    this.ticksDrawn = drawn;
    drawTicks(owner.$(".ticks"), width, stops, (k) => open.every((side) => side.store.isExact(k)), colours.accent);
  }

  badges() {
    for (const side of this.owner.sides) {
      const { badge, name } = this.boxes[side.name];
      const title = side.spec?.title ?? "no checkpoint";
      showBadge(badge, side.problem ? ["busy", "failed", side.problem] : badgeOf(side.feed, side.store ? side.k : 0));
      write(name, title);
      if (name.title !== title) name.title = title;
    }
  }

  problems() {
    for (const side of this.owner.sides) {
      const { problem } = this.boxes[side.name];
      write(problem, side.problem ? `${side.name.toUpperCase()}: ${side.problem}` : "");
      problem.hidden = !side.problem;
    }
  }
}
