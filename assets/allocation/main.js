// The canvas of the Allocation page. It holds every budget of the bar, so a drag never asks the server; what is let go
// is told to Streamlit, which keeps it in the address bar.

import { palette } from "../canvas/scales.js";
import { axes, dot, label, line, number, queue, sheet } from "./paint.js";

const NEIGHBOURS = 6;  // other funded curves behind the chosen one
const PLAY_MS = 6000;

class Allocation {
  constructor(root) {
    this.root = root;
    this.view = { budget: 0, query: 0, order: "arrival" };
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(root.querySelector(".ca"));
    const bar = this.$("#ca-budget"), bars = this.$(".queue");
    bar.addEventListener("input", () => this.set({ budget: Number(bar.value) }, false));
    bar.addEventListener("change", () => this.tell());
    bars.addEventListener("pointermove", (event) => this.set({ query: this.queryAt(event) }, false));
    bars.addEventListener("click", () => this.tell());
    bars.addEventListener("keydown", (event) => this.step(event));
    for (const button of root.querySelectorAll("[data-order]")) button.addEventListener("click", () => this.set({ order: button.dataset.order }));
    this.$(".play").addEventListener("click", () => (this.playing ? this.stop() : this.play()));
  }

  $(selector) { return this.root.querySelector(selector); }

  /** Called by Streamlit at first and after every run of the script. */
  update(data, send) {
    const changed = data.id !== this.data?.id;
    this.send = send;
    this.data = data;
    this.table = data.table;
    if (changed) {
      this.playing = null;
      this.view = { ...data.view, query: Math.min(data.view.query, this.table.queries.length - 1) };
      this.orders = { arrival: this.table.queries.map((_, i) => i), price: this.table.choke.map((c, i) => [c, i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]).map(([, i]) => i) };
      const bought = this.table.queries.map((_, i) => Math.max(this.table.entry[i], ...this.table.spends.map((row) => row[i]))).sort((a, b) => a - b);
      this.tallest = bought[Math.floor(0.97 * (bought.length - 1))];
      this.steepest = 1.15 * Math.max(...this.table.points.clearing.slice(2));
      this.$("#ca-budget").max = this.table.points.budget.length - 1;
    }
    const base = palette(this.$(".ca"));
    this.colours = { ...base, waste: base.dark ? "#e69f00" : "#b35900", ghost: base.dark ? "#3b4454" : "#cfd4dc" };
    this.$(".ca").style.setProperty("--ca-waste", this.colours.waste);
    this.draw();
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

  get order() { return this.orders[this.view.order]; }

  queryAt(event) {
    const box = this.$(".queue").getBoundingClientRect(), place = Math.floor(((event.clientX - box.left) / box.width) * this.order.length);
    return this.order[Math.max(0, Math.min(this.order.length - 1, place))];
  }

  step(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const place = Math.max(0, Math.min(this.order.length - 1, this.order.indexOf(this.view.query) + by));
    this.set({ query: this.order[place] });
  }

  /** Everything at the budget of the bar. */
  get now() {
    const at = this.view.budget, { points, prices, spends, reasons } = this.table;
    return { ...Object.fromEntries(Object.entries(points).map(([name, column]) => [name, column[at]])), price: prices[at], spends: spends[at], reasons: reasons[at] };
  }

  amount(x) {
    const { unit } = this.table, { money } = this.data;
    return `${number(x)} ${unit}${money > 0 ? ` (${number((x * money) / 1e6, 3)} money)` : ""}`;
  }

  draw() {
    if (!this.orders || !this.$(".ca").clientWidth) return;
    const now = this.now, bar = this.$("#ca-budget");
    bar.value = this.view.budget;
    this.$(".budget").textContent = this.amount(now.budget);
    this.$(".mean").textContent = `${number(now.budget / this.table.queries.length, 3)} a query, ${this.table.queries.length} queries`;
    this.$(".exact").textContent = `Stop ${this.view.budget + 1} of ${this.table.points.budget.length}: the library computed each of them, and nothing in between is guessed.`;
    bar.setAttribute("aria-valuetext", `${this.amount(now.budget)}, price ${number(now.price)}, ${now.abandoned} abandoned`);
    this.$(".play").hidden = this.data.playback?.budget !== this.view.budget;  // recorded at the budget that was let go
    for (const button of this.root.querySelectorAll("[data-order]")) button.setAttribute("aria-pressed", button.dataset.order === this.view.order);
    this.drawFacts(now);
    this.drawQueue(now);
    this.drawMarket(now);
    this.drawCurve(now);
    this.drawPlayback();
    this.$(".ca").dataset.budget = this.view.budget;
  }

  drawFacts(now) {
    const { queries } = this.table, { worth, money } = this.data, n = queries.length;
    const gap = Math.max(0, now.bound - now.value), left = now.budget - now.handed;
    const facts = [
      ["price", now.price === null ? "none" : number(now.price), now.price === null ? `set by this rule; demand would meet the budget at ${number(now.clearing)}` : `${worth} for one more ${this.data.one}${money > 0 ? `; ${number((now.price / money) * 1e6, 3)} for one unit of money` : ""}`],
      ["abandoned", `${now.abandoned} of ${n}`, "queries that got nothing"],
      ["value", number(now.value), worth],
      ["gap", number(gap, 3), `to the bound ${number(now.bound)}: no rule can add more`],
      ["accuracy", `${(100 * now.accuracy).toFixed(1)} %`, `${(100 * now.low).toFixed(1)} to ${(100 * now.high).toFixed(1)}, 95 % over queries`],
      ["used", number(now.used), `of ${number(now.handed)} handed out; ${number(left > 1e-9 * now.budget ? left : 0)} unspent`],
    ];
    this.$(".facts").replaceChildren(...facts.map(([name, value, told]) => {
      const box = document.createElement("div"), strong = document.createElement("b");
      box.className = "fact";
      box.dataset.fact = name;
      strong.textContent = value;
      box.append(`${{ used: "really used" }[name] ?? name}`, strong, told);
      return box;
    }));
  }

  drawQueue(now) {
    const { entry, queries, sentences } = this.table, caps = this.playing?.caps ?? now.spends;
    const arrived = this.playing ? new Set(this.data.playback.order.slice(0, this.playing.at)) : null;
    const bars = this.order.map((i) => ({ spend: arrived && !arrived.has(i) ? 0 : caps[i], ghost: entry[i], wasted: !arrived && now.reasons[i] === "6" }));
    queue(this.$(".queue"), this.colours, bars, this.order.indexOf(this.view.query), this.tallest);
    const i = this.view.query, why = sentences[Number(now.reasons[i])].replaceAll("{price}", number(now.price)).replaceAll("{choke}", number(this.table.choke[i]));
    this.$(".why").textContent = `${queries[i]}: ${now.spends[i] > 0 ? `${this.amount(now.spends[i])}, ` : ""}${why}.`;
    const bar = this.$(".queue");
    for (const [name, value] of Object.entries({ valuemin: 1, valuemax: this.order.length, valuenow: this.order.indexOf(i) + 1, valuetext: this.$(".why").textContent })) bar.setAttribute(`aria-${name}`, value);
  }

  drawMarket(now) {
    const { demand, unit } = this.table, { colours } = this, paper = sheet(this.$(".market"));
    const nearly = demand.totals[demand.prices.findLastIndex((price) => price >= 0.02 * this.steepest)] ?? demand.totals.at(-1);
    const right = Math.max(1.1 * nearly, 1.05 * now.budget);
    const { box, x, y } = axes(paper, colours, { right, top: this.steepest, xTitle: `demand of all queries, ${unit}`, yTitle: "price" });
    line(paper.ctx, box, demand.prices.map((price, i) => [x(demand.totals[i]), y(price)]), { colour: colours.accent });
    line(paper.ctx, box, [[x(now.budget), box.bottom], [x(now.budget), box.top]], { colour: colours.full, width: 2.5 });
    line(paper.ctx, box, [[box.left, y(now.clearing)], [x(now.budget), y(now.clearing)]], { colour: colours.muted, width: 1.5, dash: [4, 3] });
    if (now.clearing <= this.steepest) dot(paper.ctx, x(now.budget), y(now.clearing), colours.full, colours.background);
    label(paper.ctx, box, `price ${number(now.clearing)}`, x(now.budget), y(Math.min(now.clearing, this.steepest)), colours.text, colours.font);
    const left = now.price === null ? null : now.budget - now.handed;
    this.$(".marketnote").textContent = now.clearing === 0 ? "The budget is more than anybody wants: the price is 0."
      : now.price === null ? "This rule sets no price; the one drawn is the market's."
      : left > 1e-9 * now.budget ? `Demand jumps at this price, because queries give up all at once: ${this.amount(left)} stay unspent.`
      : "The vertical line is the budget, which does not depend on the price. Where demand meets it is the price.";
  }

  drawCurve(now) {
    const { curves, unit, queries, choke } = this.table, { colours } = this, i = this.view.query, [spends, values] = curves[i];
    const paper = sheet(this.$(".curve")), price = now.price ?? now.clearing, at = (k, spend) => this.valueAt(k, spend);
    const right = Math.max(spends.at(-1) * 1.15, now.spends[i] * 1.1), top = Math.max(1e-9, ...values) * 1.25;
    const { box, x, y } = axes(paper, colours, { right, top, xTitle: `spend, ${unit}`, yTitle: this.data.worth });
    const funded = queries.map((_, k) => k).filter((k) => k !== i && now.spends[k] > 0 && now.reasons[k] === "0");
    for (let n = 0; n < Math.min(NEIGHBOURS, funded.length); n++) {
      const k = funded[Math.floor((n * funded.length) / NEIGHBOURS)], [xs, ys] = curves[k], s = now.spends[k], v = at(k, s), reach = 0.07 * right;
      line(paper.ctx, box, xs.map((each, j) => [x(each), y(ys[j])]), { colour: colours.muted, width: 1, alpha: 0.45 });
      line(paper.ctx, box, [[x(s - reach), y(v - price * reach)], [x(s + reach), y(v + price * reach)]], { colour: colours.full, width: 1.5, alpha: 0.8 });
    }
    line(paper.ctx, box, [...spends.map((each, j) => [x(each), y(values[j])]), [box.right, y(at(i, right))]], { colour: colours.accent, width: 2.5 });
    const s = now.spends[i], v = s > 0 ? at(i, s) : 0, base = v - price * s;
    line(paper.ctx, box, [[x(0), y(base)], [x(right), y(base + price * right)]], { colour: colours.full, width: 2, dash: [6, 4] });
    dot(paper.ctx, x(s), y(v), s > 0 ? colours.accent : colours.muted, colours.background);
    this.$(".who").textContent = `Curve of ${queries[i]}`;
    this.$(".curvenote").textContent = now.price === null ? `Dashed: the market's price ${number(price)} as a slope; this rule does not heed it. It would be bought below ${number(choke[i])}.`
      : s > 0 ? `Dashed: a line of slope ${number(price)}, the price, the same for every funded query (thin: others). It meets the axis at the surplus ${number(base, 3)}.`
      : `Dashed: what any spend costs at the price ${number(price)}. The curve is nowhere above it, so nothing is bought; below ${number(choke[i])} it would be.`;
  }

  /** Value on the line that is drawn: it has a point at each step, and steps last until the next one. */
  valueAt(query, spend) {
    const [spends, values] = this.table.curves[query];
    let j = 0;
    while (j + 1 < spends.length && spends[j + 1] <= spend) j++;
    const next = j + 1 < spends.length ? j + 1 : j, width = spends[next] - spends[j];
    return width > 0 ? values[j] + ((values[next] - values[j]) * (spend - spends[j])) / width : values[j];
  }

  play() {
    const { playback } = this.data, started = performance.now(), calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.playing = { at: 0, caps: playback.caps };
    this.$(".play").textContent = "■ Stop";
    const frame = (time) => {
      if (!this.playing) return;
      this.playing.at = calm ? playback.prices.length : Math.min(playback.prices.length, Math.ceil(((time - started) / PLAY_MS) * playback.prices.length));
      this.draw();
      if (this.playing.at < playback.prices.length) this.frame = requestAnimationFrame(frame);
      else this.$(".play").textContent = "↺ Back";
    };
    this.frame = requestAnimationFrame(frame);
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.frame);
    this.playing = null;
    this.$(".play").textContent = "▶ Play arrivals";
    this.draw();
  }

  drawPlayback() {
    this.$(".online").hidden = !this.playing;
    if (!this.playing) return;
    const { playback } = this.data, { colours } = this, { at } = this.playing, paper = sheet(this.$(".playback"));
    const { box, x, y } = axes(paper, colours, { right: playback.prices.length, top: 1.1 * Math.max(...playback.prices, playback.offline), xTitle: "arrivals", yTitle: "price" });
    line(paper.ctx, box, [[box.left, y(playback.offline)], [box.right, y(playback.offline)]], { colour: colours.full, width: 1.5, dash: [6, 4] });
    line(paper.ctx, box, playback.prices.slice(0, at).map((price, i) => [x(i), y(price)]), { colour: colours.accent, width: 1.5 });
    this.$(".progress").textContent = `${at} of ${playback.prices.length} arrived`;
    this.$(".playnote").textContent = `Ours, not the paper's: the price follows what is spent. Dashed: the price ${number(playback.offline)} of somebody who knows all arrivals. In the end ${this.amount(playback.used)} are used, worth ${number(playback.value)}; nobody could exceed ${number(playback.bound)}.`;
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
  return () => { canvas.dispose(); mounted.delete(parentElement); };
}
