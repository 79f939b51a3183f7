// The part of the canvas drawing interface that paint.js uses, written out as SVG: one drawing code, two formats.

const escape = (text) =>
  String(text)
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "�");
const round = (x) => Math.round(x * 100) / 100;

export class SvgContext {
  constructor(width, height) {
    Object.assign(this, { width, height, parts: [], stack: [], path: "", dash: [], matrix: "" });
    Object.assign(this, {
      fillStyle: "#000",
      strokeStyle: "#000",
      lineWidth: 1,
      font: "12px sans-serif",
      textAlign: "left",
      textBaseline: "alphabetic",
      globalAlpha: 1,
    });
  }
  save() {
    this.stack.push({ ...this, stack: null, parts: null });
  }
  restore() {
    const { stack: _s, parts: _p, ...state } = this.stack.pop();
    Object.assign(this, state);
  }
  translate(x, y) {
    this.matrix += `translate(${round(x)} ${round(y)})`;
  }
  rotate(angle) {
    this.matrix += `rotate(${round((angle * 180) / Math.PI)})`;
  }
  setLineDash(dash) {
    this.dash = dash;
  }
  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${round(x)} ${round(y)}`;
  }
  lineTo(x, y) {
    this.path += `L${round(x)} ${round(y)}`;
  }
  closePath() {
    this.path += "Z";
  }
  arc(x, y, r) {
    this.path += `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
  }
  #add(tag, attributes, body = "") {
    const all = {
      ...attributes,
      ...(this.matrix && { transform: this.matrix }),
      ...(this.globalAlpha < 1 && { opacity: this.globalAlpha }),
    };
    this.parts.push(
      `<${tag} ${Object.entries(all)
        .map(([k, v]) => `${k}="${escape(v)}"`)
        .join(" ")}${body ? `>${body}</${tag}>` : "/>"}`,
    );
  }
  stroke() {
    this.#add("path", {
      d: this.path,
      fill: "none",
      stroke: this.strokeStyle,
      "stroke-width": this.lineWidth,
      "stroke-linejoin": "round",
      ...(this.dash.length && { "stroke-dasharray": this.dash.join(" ") }),
    });
  }
  fill() {
    this.#add("path", { d: this.path, fill: this.fillStyle });
  }
  fillRect(x, y, width, height) {
    this.#add("rect", { x: round(x), y: round(y), width: round(width), height: round(height), fill: this.fillStyle });
  }
  strokeRect(x, y, width, height) {
    this.#add("rect", {
      x: round(x),
      y: round(y),
      width: round(width),
      height: round(height),
      fill: "none",
      stroke: this.strokeStyle,
      "stroke-width": this.lineWidth,
    });
  }
  fillText(text, x, y) {
    const [, weight, size, family] = /^(bold |600 )?([\d.]+)px (.*)$/.exec(this.font) ?? [null, "", "12", "sans-serif"];
    this.#add(
      "text",
      {
        x: round(x),
        y: round(y),
        fill: this.fillStyle,
        "font-size": size,
        "font-family": family,
        ...(weight && { "font-weight": 600 }),
        "text-anchor": { left: "start", center: "middle", right: "end" }[this.textAlign],
        "dominant-baseline": { alphabetic: "auto", middle: "central", top: "hanging", bottom: "auto" }[
          this.textBaseline
        ],
      },
      escape(text),
    );
  }
  measureText(text) {
    return { width: 0.56 * parseFloat(/([\d.]+)px/.exec(this.font)[1]) * text.length };
  }
  /** A picture of pixels, not smoothed. */
  pixels(canvas, x, y, width, height) {
    this.#add("image", {
      href: canvas.toDataURL("image/png"),
      x: round(x),
      y: round(y),
      width: round(width),
      height: round(height),
      preserveAspectRatio: "none",
      style: "image-rendering:pixelated",
    });
  }
  toString() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}">${this.parts.join("")}</svg>`;
  }
}
