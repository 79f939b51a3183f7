// The plot of the Frontier page. Plotly draws marks, fronts and curves once; what moves with the key budget is drawn on
// a canvas above it from numbers that are already here, so that a drag asks neither Plotly nor the server.

import { palette } from "../shared/scales.js";
import { savePlot } from "./save.js";
import { label, sheet, stamp } from "./shapes.js";

const NEAR = 9; // pixels within which a mark is meant
const NARROW = 760;
const CONFIG = {
  displaylogo: false,
  displayModeBar: true,
  modeBarButtonsToRemove: ["toImage", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  doubleClick: "reset+autosize",
};

let library = null;
/** Plotly, loaded once for the page. */
function plotly(address) {
  library ??= new Promise((done, failed) => {
    if (window.Plotly) return done(window.Plotly);
    const script = Object.assign(document.createElement("script"), {
      src: address,
      onload: () => done(window.Plotly),
      onerror: () => {
        library = null;
        failed(new Error("Plotly could not be loaded."));
      },
    });
    document.head.append(script);
  });
  return library;
}

const decoder = document.createElement("textarea");
/** Lines of a hover's text: what was written as entities is letters again. */
function linesOf(hover) {
  return hover.split("<br>").map((line) => {
    decoder.innerHTML = line.replace(/^<b>|<\/b>$/g, ""); // a textarea holds letters: nothing in it becomes an element
    return decoder.value;
  });
}

class Frontier {
  constructor(root) {
    this.cf = root.querySelector(".cf");
    // Found once: to look for one of them again walks through all of Plotly's marks.
    const names = {
      bar: ".bar",
      keys: "#cf-keys",
      budget: ".budget",
      mean: ".mean",
      exact: ".exact",
      dominated: "input.dominated",
      menu: ".export",
      stage: ".stage",
      plot: ".plot",
      marks: "canvas.marks",
      tip: ".tip",
      card: ".card",
      close: ".close",
      who: ".who",
      lines: ".card .lines",
      open: ".open",
      compare: ".compare",
      wait: ".wait",
    };
    this.el = Object.fromEntries(Object.entries(names).map(([name, selector]) => [name, root.querySelector(selector)]));
    this.gd = this.el.plot;
    this.view = { keys: 0, hidden: [], dominated: true, chosen: "" };
    this.found = new Map();
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(this.el.stage);
    this.listen();
  }

  listen() {
    const bar = this.el.keys;
    const stage = this.el.stage;
    bar.addEventListener("input", () => {
      this.view.keys = this.data.budgets[Number(bar.value)] ?? 0;
      this.draw();
    });
    bar.addEventListener("change", () => this.tell());
    this.el.dominated.addEventListener("change", (event) => {
      this.view.dominated = event.target.checked;
      this.show();
      this.tell();
    });
    this.el.menu.addEventListener("change", (event) => this.export(event.target));
    this.el.close.addEventListener("click", () => this.choose(""));
    this.el.open.addEventListener("click", () => this.go("attention"));
    this.el.compare.addEventListener("click", () => this.go("compare"));
    stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.choose("");
    });
    stage.addEventListener("pointermove", (event) => this.point(event));
    stage.addEventListener(
      "pointerdown",
      (event) => {
        this.pressed = [event.clientX, event.clientY];
      },
      true,
    );
    stage.addEventListener("pointerup", (event) => this.released(event), true);
  }

  /** Called by Streamlit at first and after every run of the script. */
  async update(data, send, trigger) {
    const first = !this.data;
    const changed = data.figure !== this.data?.figure || this.look !== this.lookNow();
    Object.assign(this, { data, send, trigger });
    if (first || data.scope !== this.scope) Object.assign(this.view, data.view);
    this.scope = data.scope;
    this.arrived = performance.now();
    if (!changed) return this.draw();
    this.look = this.lookNow();
    this.colours = palette(this.cf);
    try {
      this.Plotly = await plotly(data.plotly);
    } catch (error) {
      this.el.wait.textContent = `${error.message} The table below has the same numbers.`;
      return;
    }
    if (this.data === data) await this.plot();
  }

  lookNow() {
    return getComputedStyle(this.cf).getPropertyValue("--st-background-color");
  }

  /** The figure in the page's colours: those of light paper are replaced wherever they are written. */
  figure() {
    const { light, dark } = this.data.colours;
    const { background, text, grid } = this.colours;
    const inks = [background, text, grid, ...(this.colours.dark ? dark : light).slice(3)];
    return JSON.parse(
      light.reduce((written, colour, i) => written.replaceAll(`"${colour}`, `"${inks[i]}`), this.data.figure),
    );
  }

  async plot() {
    const { data, layout } = this.figure();
    const fresh = !this.gd._fullLayout;
    const started = performance.now();
    this.places = new Map();
    for (const { meta, x, y, customdata, hovertext } of data) {
      if (customdata)
        customdata.forEach(([key], i) =>
          this.places.set(key, { x: x[i], y: y[i], family: meta.family, part: meta.part, hover: hovertext[i] }),
        );
    }
    data.forEach((one) => {
      one.visible = this.visibility(one.meta);
    });
    await this.Plotly.react(this.gd, data, { ...layout, ...this.room(layout), uirevision: this.scope }, CONFIG);
    if (fresh) this.follow();
    this.el.wait.hidden = true;
    this.cf.dataset.drawn = (performance.now() - started).toFixed(1);
    this.cf.dataset.sinceArrival = (performance.now() - this.arrived).toFixed(1);
    this.draw();
  }

  follow() {
    for (const name of ["plotly_afterplot", "plotly_relayouting"])
      this.gd.on(name, () => {
        this.found = new Map();
        this.draw();
      });
    this.gd.on("plotly_click", ({ points }) => {
      const hit = points.find((point) => point.customdata);
      if (hit && !this.took) this.choose(hit.customdata[0]);
    });
    this.gd.on("plotly_selected", (found) => {
      if (found) this.pick(found.points);
    });
    this.gd.on("plotly_deselect", () => this.pick([]));
    this.gd.on("plotly_legendclick", ({ data, curveNumber }) => {
      this.toggle(data[curveNumber].meta.family);
      return false;
    });
    this.gd.on("plotly_legenddoubleclick", ({ data, curveNumber }) => {
      this.only(data[curveNumber].meta.family);
      return false;
    });
  }

  // ---- what is shown

  visibility({ family, part }) {
    return this.view.hidden.includes(family) ? "legendonly" : part !== "dominated" || this.view.dominated;
  }

  show() {
    this.Plotly?.restyle(this.gd, { visible: this.gd.data.map((one) => this.visibility(one.meta)) });
  }

  toggle(family) {
    const { hidden } = this.view;
    this.view.hidden = hidden.includes(family) ? hidden.filter((name) => name !== family) : [...hidden, family];
    this.show();
    this.tell();
  }

  only(family) {
    const others = [...new Set(this.gd.data.map((one) => one.meta.family))].filter((name) => name !== family);
    this.view.hidden = others.every((name) => this.view.hidden.includes(name)) ? [] : others;
    this.show();
    this.tell();
  }

  room(layout) {
    const { clientWidth: width, clientHeight: height } = this.el.stage;
    const legend = { ...layout.legend };
    const narrow =
      width < NARROW
        ? {
            legend: { ...legend, orientation: "h", x: 0, y: -0.16, yanchor: "top" },
            margin: { ...layout.margin, l: 58 },
          }
        : { legend };
    return { width, height, ...narrow };
  }

  fit() {
    if (!this.gd._fullLayout || !this.el.stage.clientWidth) return;
    const { width, height, legend } = this.room({ legend: this.gd.layout.legend, margin: this.gd.layout.margin });
    if (width !== this.gd._fullLayout.width || height !== this.gd._fullLayout.height)
      this.Plotly.relayout(this.gd, { width, height, legend });
  }

  // ---- the bar

  /** Stop of the bar: the last one is all keys. */
  get stop() {
    const at = this.data.budgets.indexOf(this.view.keys || null);
    return at < 0 ? this.data.budgets.length - 1 : at;
  }

  /** Marks of all curves at the bar's budget, in pixels; nothing where it was not measured. Kept until the axes move. */
  marks() {
    if (!this.found.has(this.stop)) this.found.set(this.stop, this.marksNow());
    return this.found.get(this.stop);
  }

  marksNow() {
    const found = [];
    const {
      _fullLayout: { xaxis, yaxis },
      _fullData: traces,
    } = this.gd;
    const at = this.stop;
    for (const one of traces) {
      if (one.meta?.part !== "curves" || one.visible !== true) continue;
      const { keys, stops, symbol } = one.meta;
      const raw = this.gd.data[one.index];
      for (let i = 0; i < keys.length; i++) {
        const x = raw.x[i * (stops + 1) + at];
        const y = raw.y[i * (stops + 1) + at];
        if (x === null || y === null) continue;
        if (!this.view.dominated && this.places.get(keys[i])?.part === "dominated") continue;
        found.push({
          key: keys[i],
          symbol,
          colour: one.line.color,
          x: xaxis._offset + xaxis.d2p(x),
          y: yaxis._offset + yaxis.d2p(y),
          at: [x, y],
        });
      }
    }
    return found;
  }

  draw() {
    if (!this.data) return;
    this.said();
    if (!this.gd._fullLayout?.xaxis || !this.colours) return;
    const { xaxis, yaxis } = this.gd._fullLayout;
    const ctx = sheet(this.el.marks);
    const box = {
      left: xaxis._offset,
      right: xaxis._offset + xaxis._length,
      top: yaxis._offset,
      bottom: yaxis._offset + yaxis._length,
    };
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left - 6, box.top - 6, box.right - box.left + 12, box.bottom - box.top + 12);
    ctx.clip();
    if (!this.isAll) this.veil(ctx, box);
    this.drawLimit(ctx, box);
    this.shown = this.isAll ? [] : this.marks();
    this.drawMarks(ctx);
    this.drawNamed(ctx, box);
    ctx.restore();
    this.placeCard(box);
    this.cf.dataset.keys = this.view.keys || "all";
    this.cf.dataset.marks = this.shown.length;
  }

  /** Dims what stands for all keys. Done here and not to the plot itself, which would be painted anew: 60 ms for a thousand marks. */
  veil(ctx, box) {
    ctx.fillStyle = this.colours.background;
    ctx.globalAlpha = 0.6;
    ctx.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    ctx.globalAlpha = 1;
  }

  get isAll() {
    return this.data.budgets[this.stop] === null || !this.data.budgets.length;
  }

  said() {
    const { budgets } = this.data;
    const bar = this.el.keys;
    const at = this.stop;
    this.el.bar.hidden = budgets.length < 2;
    if (budgets.length < 2) return;
    bar.max = budgets.length - 1;
    bar.value = at;
    this.el.budget.textContent = budgets[at] ?? "all";
    bar.setAttribute("aria-valuetext", budgets[at] === null ? "all keys" : `${budgets[at]} keys`);
    this.el.mean.textContent =
      budgets[at] === null
        ? ""
        : this.data.measured[at] === 1
          ? "1 checkpoint was measured at it"
          : `${this.data.measured[at]} checkpoints were measured at it`;
    this.el.exact.textContent = `Recorded: the bar stops at the ${budgets.length} budgets that were measured, and nothing between them is guessed. A mask saves reads, not latency.`;
    this.el.dominated.checked = this.view.dominated;
  }

  drawMarks(ctx) {
    const radius = this.shown.length > 200 ? 3.5 : 5.5;
    for (const { symbol, colour, x, y } of this.shown) {
      const { image, size } = stamp(symbol, colour, this.colours.background, radius);
      ctx.drawImage(image, x - size / 2, y - size / 2, size, size);
    }
  }

  pixels({ x, y }) {
    const { xaxis, yaxis } = this.gd._fullLayout;
    return [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
  }

  drawLimit(ctx, box) {
    const { limit } = this.data;
    if (!limit) return;
    const { xaxis, yaxis } = this.gd._fullLayout;
    const { colours } = this;
    const place = limit.axis === "x" ? xaxis._offset + xaxis.d2p(limit.value) : yaxis._offset + yaxis.d2p(limit.value);
    if (!Number.isFinite(place)) return;
    ctx.strokeStyle = colours.full;
    ctx.lineWidth = 1.5;
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    if (limit.axis === "x") {
      ctx.moveTo(place, box.top);
      ctx.lineTo(place, box.bottom);
    } else {
      ctx.moveTo(box.left, place);
      ctx.lineTo(box.right, place);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    if (limit.axis === "x") label(ctx, box, limit.text, place - 6, box.bottom - 2, colours);
    else label(ctx, box, limit.text, box.left, place, colours);
  }

  /** The advised point and the chosen one, each with a halo. */
  drawNamed(ctx, box) {
    for (const [key, colour, radius, text] of [
      [this.data.advised, this.colours.accent, 14, "take this"],
      [this.view.chosen, this.colours.text, 11, ""],
    ]) {
      const place = this.places?.get(key);
      if (!place || this.view.hidden.includes(place.family)) continue;
      const [x, y] = this.pixels(place);
      ctx.strokeStyle = colour;
      ctx.lineWidth = 3;
      ctx.beginPath();
      ctx.arc(x, y, radius, 0, 2 * Math.PI);
      ctx.stroke();
      if (text) label(ctx, box, `${text}: ${linesOf(place.hover)[0]}`, x + 4, y - 4, this.colours);
    }
  }

  // ---- pointing and choosing

  nearest(event) {
    const box = this.el.stage.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    let best = null;
    let least = NEAR * NEAR;
    for (const mark of this.shown ?? []) {
      const far = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      if (far <= least) [best, least] = [mark, far];
    }
    return best;
  }

  point(event) {
    const tip = this.el.tip;
    const mark = event.buttons ? null : this.nearest(event);
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = `${linesOf(this.places.get(mark.key)?.hover ?? mark.key)[0]}: ${Number(mark.at[1].toPrecision(4))} with ${this.data.budgets[this.stop]} keys`;
    const width = this.el.stage.clientWidth;
    tip.style.left = `${Math.min(mark.x + 12, width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${mark.y + 10}px`;
  }

  released(event) {
    const still = this.pressed && Math.hypot(event.clientX - this.pressed[0], event.clientY - this.pressed[1]) < 4;
    const mark = still && !event.target.closest(".card") ? this.nearest(event) : null;
    this.took = Boolean(mark);
    if (mark) this.choose(mark.key);
  }

  choose(key) {
    this.view.chosen = key;
    if (key) this.Plotly.Fx.unhover(this.gd); // the card says the same
    this.draw();
    this.tell();
    if (key) this.el.close.focus({ preventScroll: true });
  }

  placeCard(box) {
    const card = this.el.card;
    const { chosen } = this.view;
    const place = this.places?.get(chosen);
    card.hidden = !place || this.view.hidden.includes(place.family);
    if (card.hidden) return;
    const [who, ...lines] = linesOf(place.hover);
    const doors = this.data.doors[chosen] ?? [false, false];
    if (card.dataset.key !== chosen + place.hover) {
      card.dataset.key = chosen + place.hover;
      this.el.who.textContent = who;
      this.el.lines.replaceChildren(
        ...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })),
      );
      this.el.open.hidden = !doors[0];
      this.el.compare.hidden = !doors[1];
    }
    const [x, y] = this.pixels(place);
    const width = this.el.stage.clientWidth;
    const { offsetWidth: w, offsetHeight: h } = card;
    card.style.left = `${Math.max(box.left, x + 20 + w < width ? x + 20 : x - 20 - w)}px`;
    card.style.top = `${Math.max(0, Math.min(y + 20, this.el.stage.clientHeight - h - 4))}px`;
  }

  pick(points) {
    const keys = [...new Set(points.filter((point) => point.customdata).map((point) => point.customdata[0]))];
    this.send?.("picked", keys);
  }

  go(to) {
    clearTimeout(this.telling); // a second message would end the run of the script that the first one has begun
    this.trigger?.("go", { to, key: this.view.chosen });
  }

  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.send?.("view", { ...this.view }), 150);
  }

  // ---- files

  async export(menu) {
    const format = menu.value;
    menu.value = "";
    if (!format || !this.gd._fullLayout) return;
    const told = `${this.data.told} · ${this.isAll ? "all keys" : `filled: ${this.data.budgets[this.stop]} keys a query`}`;
    await savePlot(this.Plotly, this.gd, format, {
      name: this.data.file,
      more: this.asTraces(),
      told,
      colours: this.colours,
    });
  }

  /** What the canvas shows, as a trace. */
  asTraces() {
    if (!this.shown.length) return [];
    const marker = {
      size: 11,
      symbol: this.shown.map((mark) => mark.symbol),
      color: this.shown.map((mark) => mark.colour),
      line: { width: 1.5, color: this.colours.text },
    };
    return [
      {
        type: "scatter",
        mode: "markers",
        name: `${this.data.budgets[this.stop]} keys a query`,
        x: this.shown.map(({ at }) => at[0]),
        y: this.shown.map(({ at }) => at[1]),
        marker,
      },
    ];
  }

  dispose() {
    clearTimeout(this.telling);
    this.resize.disconnect();
    if (this.gd._fullLayout) this.Plotly.purge(this.gd);
  }
}

const mounted = new WeakMap();

/** Entry point, called by the component's stub on every change from Streamlit. */
export function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  let frontier = mounted.get(parentElement);
  if (!frontier) mounted.set(parentElement, (frontier = new Frontier(parentElement)));
  frontier.update(data, setStateValue, setTriggerValue);
  return () => {
    frontier.dispose();
    mounted.delete(parentElement);
  };
}
