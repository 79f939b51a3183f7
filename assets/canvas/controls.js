// The budget bar, the switches, the badge, the answers: everything that takes input or says a word.

import { readsSentence, STATISTICS, MOVED } from "./words.js";
import { updateOutput, write } from "./panels.js";

const ATLAS = { ...STATISTICS, moved: MOVED };

export class Controls {
  constructor(owner) {
    this.owner = owner;
    const $ = (s) => owner.$(s);
    this.range = $("input[type=range]");
    this.range.addEventListener("input", () => owner.set({ k: owner.stops[+this.range.value] }, false));
    this.range.addEventListener("change", () => owner.tell());
    $(".alert button").addEventListener("click", () => owner.say(null));
    $(".python").addEventListener("click", () => this.copyPython());
    this.select = $("select.statistic");
    this.select.replaceChildren(...Object.entries(ATLAS).map(([name, { label }]) => new Option(label, name)));
    this.select.addEventListener("change", () => owner.set({ statistic: this.select.value }));
    this.switches = [...owner.root.querySelectorAll(".switch")];
    for (const group of this.switches) {
      for (const button of group.children) {
        button.type = "button";
        button.addEventListener("click", () => owner.set({ [group.dataset.name]: button.dataset.value }));
      }
    }
  }

  opened() {
    this.range.max = this.owner.stops.length - 1;
    this.range.disabled = this.owner.store.n < 2;
  }

  /** Index of the stop at or just below k. */
  stopOf(k) {
    const { stops } = this.owner;
    let i = 0;
    while (i + 1 < stops.length && stops[i + 1] <= k) i++;
    return i;
  }

  draw() {
    const { owner } = this, { store, view } = owner, { n } = store;
    if (document.activeElement !== this.range || owner.stops[+this.range.value] !== view.k) this.range.value = this.stopOf(view.k);
    write(owner.$(".k"), `${view.k} of ${n} (${Math.round((100 * view.k) / n)} %)`);
    this.range.setAttribute("aria-valuetext", `${view.k} of ${n} keys`);
    const frame = store.frames.get(view.k);
    updateOutput({ answers: owner.$(".answers"), verdict: owner.$(".verdict") }, store, frame, view.k);
    write(owner.$(".reads"), readsSentence(store, view.k));
    this.select.value = view.statistic;
    for (const group of this.switches) for (const button of group.children) { const pressed = String(view[group.dataset.name] === button.dataset.value); if (button.ariaPressed !== pressed) button.ariaPressed = pressed; }
    this.ticks();
    this.badge();
  }

  /** Marks the budgets that have been computed: there the picture is exact. */
  ticks() {
    const { owner } = this, canvas = owner.$(".ticks"), { stops, store, colours } = owner, width = owner.figures.widths.ticks, thumb = 8;
    const drawn = [width, stops.length, store.frames.size, colours.accent].join();
    if (this.ticksOf === store && this.ticksDrawn === drawn) return;  // budgets only come; a drag changes nothing here
    Object.assign(this, { ticksOf: store, ticksDrawn: drawn });
    canvas.width = width;
    const context = canvas.getContext("2d");
    context.fillStyle = colours.accent;
    stops.forEach((k, i) => { if (store.isExact(k)) context.fillRect(thumb + ((width - 2 * thumb) * i) / Math.max(1, stops.length - 1) - 0.75, 0, 1.5, 5); });
  }

  /** Says how the page knows what it shows. */
  badge() {
    const { owner } = this, badge = owner.$(".badge"), { store, view, spec } = owner;
    const set = (kind, text, title) => { if (badge.dataset.kind !== kind) badge.dataset.kind = kind; write(badge, text); if (badge.title !== title) badge.title = title; };
    if (!store) return owner.lanes.main ? set("busy", "loading …", "The first picture is on its way.") : set("busy", "no picture yet", "Nothing could be computed so far.");
    if (store.isExact(view.k) && !this.stale()) {
      if (store.provenanceOf(view.k) === "recorded") return set("recorded", "recorded · exact", `Recorded earlier from real forward passes of ${store.open.checkpoint}.`);
      return set("exact", `exact · ${store.open.device}`, "From a real forward pass at this budget: later layers saw what earlier layers were left with.");
    }
    if (this.stale()) return set("busy", "computing … last picture stays", `Waiting for ${spec.title ?? "the new text"}.`);
    if (store.open.policy === "top-k") return set("preview", "preview", "Recorded attention with a mask over it: later layers are not recomputed. The exact pass is on its way.");
    return set("preview", `preview · nearest computed k = ${store.nearest(view.k)}`, "This policy can't be previewed: the nearest budget computed so far is shown.");
  }

  /** Whether what is shown belongs to an earlier request. */
  stale() {
    const { lanes, shownId, spec, store, view } = this.owner;
    return (lanes.main && shownId !== spec?.id) || !store.has(view.layer, view.head);
  }

  async copyPython() {
    const { owner } = this, { view, spec } = owner, button = owner.$(".python");
    const code = spec.python.replace("__K__", view.k).replace("__LAYER__", view.layer).replace("__HEAD__", view.head);
    try { await navigator.clipboard.writeText(code); button.textContent = "Copied"; } catch { window.prompt("Copy this script", code); }
    setTimeout(() => { button.textContent = "Copy as Python"; }, 1500);
  }
}
