// The plot of the Frontier page. Plotly draws marks, fronts and curves once; what moves with the key budget is drawn on
// a canvas above it from numbers that are already here, so that a drag asks neither Plotly nor the server.

import { succeed } from "../front/succession.js";
import { find } from "../shared/dom.js";
import { LiveCanvas, mounting } from "../shared/live_canvas.js";
import { palette } from "../shared/scales.js";
import { Tip } from "../shared/stage.js";
import { sayAnswer } from "./answer.js";
import { Bar } from "./bar.js";
import { Card } from "./card.js";
import { Overlay } from "./overlay.js";
import { Plot } from "./plot.js";
import { linesOf } from "./plotly.js";
import { savePlot } from "./save.js";

/** @import { Placed, Send } from "../shared/types.js" */
/** @import { FrontierData, FrontierView } from "./types.js" */

class Frontier extends LiveCanvas {
  /** @type {FrontierView} */
  view = { keys: 0, hidden: [], dominated: true, chosen: "" };
  /** @type {FrontierData | null} */
  data = null;
  /** @type {Send} */
  trigger = () => {};
  /** The background that the plot was drawn on. */
  #ground = "";
  /**
   * Where the pointer went down.
   * @type {[number, number] | null}
   */
  #pressed = null;
  /** Whether the pointer went up on a mark, which Plotly knows nothing of. */
  #isTaken = false;

  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    super(root, ".cf", ".stage");
    // Found once: to look for one of them again walks through all of Plotly's marks.
    this.stage = this.$(".stage");
    this.wait = this.$(".wait");
    this.dominated = find(root, "input.dominated", HTMLInputElement);
    this.menu = find(root, "select.export", HTMLSelectElement);
    this.colours = palette(this.box);
    this.tip = new Tip(this.$(".tip"), this.stage);
    this.plot = new Plot(this.stage, this);
    this.overlay = new Overlay(find(root, "canvas.marks", HTMLCanvasElement), this.plot);
    this.card = new Card(this.stage, { close: () => this.choose(""), go: (to) => this.#go(to) });
    this.bar = new Bar(this.$(".bar"), { moved: (keys) => this.#turn(keys), released: () => this.tell() });
    this.#listen();
  }

  #listen() {
    const { stage, dominated, menu } = this;
    dominated.addEventListener("change", () => {
      this.view.dominated = dominated.checked;
      this.plot.show();
      this.tell();
    });
    menu.addEventListener("change", () => this.#export());
    stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.choose("");
    });
    stage.addEventListener("pointermove", (event) => this.#point(event));
    const isBeforePlotly = true; // which keeps what it has heard to itself
    stage.addEventListener(
      "pointerdown",
      ({ clientX, clientY }) => {
        this.#pressed = [clientX, clientY];
      },
      isBeforePlotly,
    );
    stage.addEventListener("pointerup", (event) => this.#release(event), isBeforePlotly);
  }

  /**
   * Called by Streamlit at first and after every run of the script.
   * @param {FrontierData} data
   * @param {Send} send
   * @param {Send} trigger
   */
  async update(data, send, trigger) {
    const before = this.data;
    const ground = getComputedStyle(this.box).getPropertyValue("--st-background-color");
    const isSame = data.figure === before?.figure && ground === this.#ground;
    Object.assign(this, { data, send, trigger });
    if (data.scope !== before?.scope) Object.assign(this.view, data.view);
    sayAnswer(this.$(".answer"), data.answer);
    if (isSame) return this.draw();
    this.#ground = ground;
    this.colours = palette(this.box);
    const arrived = performance.now();
    try {
      if (!(await this.plot.draw(data, this.colours, () => this.data === data))) return;
    } catch (error) {
      this.wait.textContent = `${error instanceof Error ? error.message : error} The table below has the same numbers.`;
      return;
    }
    this.wait.hidden = true;
    this.box.dataset.drawn = (performance.now() - arrived).toFixed(1);
    this.draw();
    this.drawn();
  }

  /** The first page's plot, if there is one, has done its work. */
  drawn() {
    succeed(this);
  }

  /** What is shown, by its name. */
  get spec() {
    return this.data && { id: this.data.scope };
  }

  /** @param {Partial<FrontierView>} change */
  set(change) {
    Object.assign(this.view, change);
    if (change.hidden || change.dominated !== undefined) this.plot.show();
    this.draw();
    this.tell();
  }

  /** @param {Placed} before */
  inherit(before) {
    if (before instanceof Frontier) this.plot.lookAt(before.plot);
  }

  resized() {
    this.plot.fit();
  }

  // ---- what the plot asks of its host

  moved() {
    this.draw();
  }

  /** @param {string} key */
  clicked(key) {
    if (!this.#isTaken) this.choose(key);
  }

  /** @param {string[]} keys */
  picked(keys) {
    this.send("picked", [...new Set(keys)]);
  }

  /** @param {string[]} families */
  hide(families) {
    this.view.hidden = families;
    this.plot.show();
    this.tell();
  }

  // ---- the bar

  /** @param {number} keys */
  #turn(keys) {
    this.view.keys = keys;
    this.draw();
  }

  draw() {
    const { data, view, bar, overlay, plot, box } = this;
    if (!data) return;
    bar.show(data, view.keys);
    this.dominated.checked = view.dominated;
    if (!plot.axes) return;
    overlay.draw(data, view, this.colours, bar.isAll ? null : bar.stop);
    this.#showCard(data);
    box.dataset.keys = String(view.keys || "all");
    box.dataset.marks = String(overlay.shown.length);
  }

  /** @param {FrontierData} data */
  #showCard({ doors, commands }) {
    const { card, plot, overlay } = this;
    const { chosen, hidden } = this.view;
    const place = plot.places.get(chosen);
    const { inside } = overlay;
    const at = place && plot.pixels(place);
    if (!at || !inside || hidden.includes(place.family)) return card.hide();
    card.show(chosen, place, doors[chosen] ?? [false, false], commands[chosen] ?? "");
    card.place(at, inside);
  }

  // ---- pointing and choosing

  /** @param {PointerEvent} event */
  #point(event) {
    const mark = event.buttons ? null : this.overlay.nearest(event);
    if (!mark) return this.tip.hide();
    const [name] = linesOf(this.plot.places.get(mark.key)?.hover ?? mark.key);
    this.tip.showAt(mark.x, mark.y, `${name}: ${Number(mark.at[1].toPrecision(4))} with ${this.bar.keys} keys`);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const [x, y] = this.#pressed ?? [NaN, NaN];
    const isStill = Math.hypot(event.clientX - x, event.clientY - y) < 4;
    const isOnCard = event.target instanceof Element && event.target.closest(".card");
    const mark = isStill && !isOnCard ? this.overlay.nearest(event) : null;
    this.#isTaken = Boolean(mark);
    if (mark) this.choose(mark.key);
  }

  /** @param {string} key */
  choose(key) {
    this.view.chosen = key;
    if (key) this.plot.library?.Fx.unhover(this.plot.element); // the card says the same
    this.draw();
    this.tell();
    if (key) this.card.close.focus({ preventScroll: true });
  }

  /** @param {"attention" | "compare"} to */
  #go(to) {
    this.tellNothing(); // a second message would end the run of the script that the first one has begun
    this.trigger("go", { to, key: this.view.chosen });
  }

  tell() {
    this.tellSoon(() => ({ ...this.view }));
  }

  async #export() {
    const { menu, data, plot, bar, colours, overlay } = this;
    const format = menu.value;
    menu.value = "";
    if ((format !== "png" && format !== "svg") || !data || !plot.library) return;
    const keys = `${bar.keys} keys a query`;
    const told = `${data.told} · ${bar.isAll ? "all keys" : `filled: ${keys}`}`;
    const more = overlay.asTraces(keys, colours);
    await savePlot(plot.library, plot.element, format, { name: data.file, more, told, colours });
  }

  dispose() {
    super.dispose();
    this.plot.dispose();
  }
}

export { Frontier as Canvas };
export const mount = mounting(Frontier);
