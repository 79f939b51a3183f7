// The canvas of the Allocation page. It holds every budget of the bar, so a drag never asks the server; what is let go
// is told to Streamlit, which keeps it in the address bar.

import { exportFigure } from "../shared/export.js";
import { palette } from "../shared/scales.js";
import { number, sheet } from "./paint.js";
import { amount, curveNote, marketNote, PICTURES, playbackNote, rows, why } from "./pictures.js";

const PLAY_MS = 6000;
const FACTS = ["price", "abandoned", "value", "gap", "accuracy", "used"];

class Allocation {
  constructor(root) {
    this.root = root;
    this.view = { budget: 0, query: 0, order: "arrival" };
    this.sizes = {};
    this.texts = new Map();
    this.resize = new ResizeObserver(() => {
      this.measure();
      this.draw();
    });
    this.resize.observe(root.querySelector(".ca"));
    const bar = this.$("#ca-budget");
    const bars = this.$(".queue");
    bar.addEventListener("input", () => this.set({ budget: this.table.places[Number(bar.value)] }, false));
    bar.addEventListener("change", () => this.tell());
    bars.addEventListener("pointermove", (event) => this.set({ query: this.queryAt(event) }, false));
    bars.addEventListener("click", () => this.tell());
    bars.addEventListener("keydown", (event) => this.step(event));
    for (const button of root.querySelectorAll("[data-order]"))
      button.addEventListener("click", () => this.set({ order: button.dataset.order }));
    for (const place of root.querySelectorAll("[data-export]")) this.offer(place);
    this.$(".play").addEventListener("click", () => (this.playing ? this.stop() : this.play()));
    this.buildFacts();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  /** Writes a text where it is another one: what stays the same need not be laid out again. */
  write(selector, text) {
    let held = this.texts.get(selector);
    if (!held) this.texts.set(selector, (held = { element: this.$(selector), text: null }));
    if (held.text !== text) held.element.textContent = held.text = text;
  }

  /** Called by Streamlit at first and after every run of the script. */
  update(data, send) {
    const changed = data.id !== this.data?.id;
    this.send = send;
    this.data = data;
    this.table = data.table;
    if (changed) this.opened(data);
    const base = palette(this.$(".ca"));
    this.colours = { ...base, waste: base.dark ? "#e69f00" : "#b35900", ghost: base.dark ? "#3b4454" : "#cfd4dc" };
    this.$(".ca").style.setProperty("--ca-waste", this.colours.waste);
    this.measure();
    this.draw();
  }

  opened({ table, view }) {
    this.playing = null;
    this.view = { ...view, query: Math.min(view.query, table.queries.length - 1) };
    this.orders = {
      arrival: table.queries.map((_, i) => i),
      price: table.choke
        .map((c, i) => [c, i])
        .sort((a, b) => b[0] - a[0] || a[1] - b[1])
        .map(([, i]) => i),
    };
    const bought = table.queries
      .map((_, i) => Math.max(table.entry[i], ...table.spends.map((row) => row[i])))
      .sort((a, b) => a - b);
    this.tallest = bought[Math.floor(0.97 * (bought.length - 1))];
    this.steepest = 1.15 * Math.max(...table.points.clearing.slice(2));
    this.$("#ca-budget").max = table.places.length - 1;
  }

  /** Sizes of the pictures, asked for when they may have changed and not while dragging. */
  measure() {
    for (const name of Object.keys(PICTURES)) {
      const { clientWidth: width, clientHeight: height } = this.$(`canvas.${name}`);
      this.sizes[name] = { width, height };
    }
  }

  set(change, done = true) {
    if (Object.entries(change).every(([name, value]) => this.view[name] === value)) return;
    if ("budget" in change) this.stop();
    Object.assign(this.view, change);
    this.draw();
    if (done) this.tell();
  }

  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.send?.("view", { ...this.view }), 150);
  }

  get order() {
    return this.orders[this.view.order];
  }

  queryAt(event) {
    const box = this.$(".queue").getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * this.order.length);
    return this.order[Math.max(0, Math.min(this.order.length - 1, place))];
  }

  step(event) {
    const by = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -10,
      PageUp: 10,
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const place = Math.max(0, Math.min(this.order.length - 1, this.order.indexOf(this.view.query) + by));
    this.set({ query: this.order[place] });
  }

  /** Which of the computed budgets is shown: the one that the bar stands on. */
  get place() {
    return Math.max(0, this.table.places.indexOf(this.view.budget));
  }

  /** All that a picture needs. */
  get shown() {
    const at = this.place;
    const { points, prices, spends, reasons } = this.table;
    const { table, data, view, order, colours, tallest, steepest, playing } = this;
    const now = {
      ...Object.fromEntries(Object.entries(points).map(([name, column]) => [name, column[at]])),
      price: prices[at],
      spends: spends[at],
      reasons: reasons[at],
    };
    return { table, data, view, now, order, colours, tallest, steepest, playing };
  }

  draw() {
    if (!this.orders || !this.sizes.queue?.width) return;
    const shown = this.shown;
    const { now } = shown;
    const bar = this.$("#ca-budget");
    const { queries, places } = this.table;
    if (Number(bar.value) !== this.place) bar.value = this.place;
    this.write(".budget", amount(shown, now.budget));
    this.write(".mean", `${number(now.budget / queries.length, 3)} a query, ${queries.length} queries`);
    this.write(
      ".exact",
      `Stop ${this.place + 1} of ${places.length}: the library computed each of them, and nothing in between is guessed. ${this.data.note}`,
    );
    bar.setAttribute(
      "aria-valuetext",
      `${amount(shown, now.budget)}, price ${number(now.price)}, ${now.abandoned} abandoned`,
    );
    this.$(".play").hidden = this.data.playback?.budget !== this.view.budget; // recorded at the budget that was let go
    for (const button of this.root.querySelectorAll("[data-order]"))
      button.setAttribute("aria-pressed", button.dataset.order === this.view.order);
    this.drawFacts(now);
    for (const name of ["queue", "market", "curve"]) this.paint(name, shown);
    this.say(shown);
    this.drawPlayback(shown);
    this.$(".ca").dataset.budget = this.view.budget;
  }

  paint(name, shown) {
    const { width, height } = this.sizes[name];
    PICTURES[name](sheet(this.$(`canvas.${name}`), this.sizes[name]), width, height, shown);
  }

  /** The pictures in words. */
  say(shown) {
    const {
      now,
      table: { queries },
      view: { query },
    } = shown;
    const bar = this.$(".queue");
    const words = `${queries[query]}: ${now.spends[query] > 0 ? `${amount(shown, now.spends[query])}, ` : ""}${why(shown, query)}.`;
    this.write(".why", words);
    for (const [name, value] of Object.entries({
      valuemin: 1,
      valuemax: this.order.length,
      valuenow: this.order.indexOf(query) + 1,
      valuetext: words,
    }))
      bar.setAttribute(`aria-${name}`, value);
    this.write(".who", `Curve of ${queries[query]}`);
    this.write(".marketnote", marketNote(shown));
    this.write(".curvenote", curveNote(shown));
  }

  buildFacts() {
    this.$(".facts").replaceChildren(
      ...FACTS.map((name) => {
        const box = document.createElement("div");
        const [value, told] = [document.createElement("b"), document.createElement("span")];
        box.className = "fact";
        box.dataset.fact = name;
        box.append(
          { used: "really used", price: "shadow price", gap: "gap to the optimum" }[name] ?? name,
          value,
          told,
        );
        return box;
      }),
    );
  }

  drawFacts(now) {
    const { worth, money, one } = this.data;
    const n = this.table.queries.length;
    const left = now.budget - now.handed;
    const facts = {
      price: [
        now.price === null ? "none" : number(now.price),
        now.price === null
          ? `set by this rule; demand would meet the budget at ${number(now.clearing)}`
          : `${worth} for one more ${one}${money > 0 ? `; ${number((now.price / money) * 1e6, 3)} for one unit of money` : ""}`,
      ],
      abandoned: [`${now.abandoned} of ${n}`, "queries that got nothing"],
      value: [number(now.value), worth],
      gap: [
        number(now.bound - now.value > 1e-9 * now.bound ? now.bound - now.value : 0, 3),
        `at most: the bound is ${number(now.bound)}, and no rule exceeds it`,
      ],
      accuracy: [
        `${(100 * now.accuracy).toFixed(1)} %`,
        `${(100 * now.low).toFixed(1)} to ${(100 * now.high).toFixed(1)}, 95 % over queries`,
      ],
      used: [
        number(now.used),
        `of ${number(now.handed)} handed out; ${number(left > 1e-9 * now.budget ? left : 0)} unspent`,
      ],
    };
    for (const name of FACTS) {
      this.write(`[data-fact="${name}"] b`, facts[name][0]);
      this.write(`[data-fact="${name}"] span`, facts[name][1]);
    }
  }

  // ---- arrivals

  play() {
    const { playback } = this.data;
    const started = performance.now();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.playing = { at: 0 };
    this.write(".play", "■ Stop");
    this.$(".online").hidden = false;
    this.measure();
    const frame = (time) => {
      if (!this.playing) return;
      this.playing.at = calm
        ? playback.prices.length
        : Math.min(playback.prices.length, Math.ceil((Math.max(0, time - started) / PLAY_MS) * playback.prices.length));
      this.draw();
      if (this.playing.at < playback.prices.length) this.frame = requestAnimationFrame(frame);
      else this.write(".play", "↺ Back");
    };
    this.frame = requestAnimationFrame(frame);
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.frame);
    this.playing = null;
    this.write(".play", "▶ Play arrivals");
    this.draw();
  }

  drawPlayback(shown) {
    this.$(".online").hidden = !this.playing;
    if (!this.playing) return;
    this.paint("playback", shown);
    this.write(".progress", `${this.playing.at} of ${this.data.playback.prices.length} arrived`);
    this.write(".playnote", playbackNote(shown));
  }

  // ---- export

  offer(place) {
    const select = document.createElement("select");
    const name = place.dataset.export;
    select.setAttribute("aria-label", `Export ${name}`);
    select.title = "Save this figure or its numbers";
    select.append(
      new Option("⤓", ""),
      ...(name === "budgets" ? ["csv", "json"] : ["png", "svg", "csv", "json"]).map(
        (f) => new Option(f.toUpperCase(), f),
      ),
    );
    select.addEventListener("change", () => {
      if (select.value && this.orders) this.save(name, select.value);
      select.value = "";
    });
    place.append(select);
  }

  save(name, format) {
    const shown = this.shown;
    const { now, view, table, data } = shown;
    const draw = (ctx, width, height) => {
      ctx.fillStyle = this.colours.background;
      ctx.fillRect(0, 0, width, height);
      PICTURES[name](ctx, width, height, shown);
    };
    const provenance = {
      figure: name,
      ...data.provenance,
      unit: table.unit,
      worth: data.worth,
      budget: now.budget,
      price: now.price,
      clearing_price: now.clearing,
      value: now.value,
      bound: now.bound,
      query: table.queries[view.query],
      url: window.location.href,
    };
    exportFigure(format, {
      name: `compecon-${name}`,
      draw,
      rows: () => rows(name, shown),
      ...this.sizes[name],
      provenance,
    });
  }

  dispose() {
    this.playing = null;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.telling);
    this.resize.disconnect();
  }
}

const mounted = new WeakMap();

/** Entry point, called by the component's stub on every change from Streamlit. */
export function mount({ data, parentElement, setStateValue }) {
  let canvas = mounted.get(parentElement);
  if (!canvas) mounted.set(parentElement, (canvas = new Allocation(parentElement)));
  canvas.update(data, setStateValue);
  return () => {
    canvas.dispose();
    mounted.delete(parentElement);
  };
}
