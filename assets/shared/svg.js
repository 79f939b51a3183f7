// The part of the canvas drawing interface that the pictures use, written out as SVG: one drawing code, two formats.

/** @param {string | number} text */
const escaped = (text) =>
  String(text)
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/[^\P{Cc}\t\n\r]/gu, "�"); // XML has no other control characters

/** @param {number} x */
const round = (x) => Math.round(x * 100) / 100;

const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };
const BASELINES = {
  alphabetic: "auto",
  bottom: "auto",
  hanging: "hanging",
  ideographic: "auto",
  middle: "central",
  top: "hanging",
};

export class SvgContext {
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  font = "12px sans-serif";
  /** @type {CanvasTextAlign} */
  textAlign = "left";
  /** @type {CanvasTextBaseline} */
  textBaseline = "alphabetic";
  globalAlpha = 1;
  /** @type {number[]} */
  dash = [];
  matrix = "";
  path = "";
  /** @type {string[]} */
  #parts = [];
  /** @type {object[]} */
  #stack = [];

  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
  }

  save() {
    this.#stack.push({ ...this });
  }

  restore() {
    Object.assign(this, this.#stack.pop());
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  translate(x, y) {
    this.matrix += `translate(${round(x)} ${round(y)})`;
  }

  /** @param {number} angle */
  rotate(angle) {
    this.matrix += `rotate(${round((angle * 180) / Math.PI)})`;
  }

  /** @param {number[]} dash */
  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = "";
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  moveTo(x, y) {
    this.path += `M${round(x)} ${round(y)}`;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  lineTo(x, y) {
    this.path += `L${round(x)} ${round(y)}`;
  }

  closePath() {
    this.path += "Z";
  }

  /**
   * A whole circle, whatever the angles.
   * @param {number} x
   * @param {number} y
   * @param {number} r
   * @param {number} _from
   * @param {number} _to
   */
  arc(x, y, r, _from, _to) {
    this.path += `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
  }

  /**
   * @param {string} tag
   * @param {Record<string, string | number>} attributes
   */
  #add(tag, attributes, body = "") {
    const all = Object.entries(attributes);
    if (this.matrix) all.push(["transform", this.matrix]);
    if (this.globalAlpha < 1) all.push(["opacity", this.globalAlpha]);
    const written = all.map(([name, value]) => `${name}="${escaped(value)}"`).join(" ");
    this.#parts.push(`<${tag} ${written}${body ? `>${body}</${tag}>` : "/>"}`);
  }

  get #stroke() {
    return { fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth };
  }

  stroke() {
    /** @type {Record<string, string>} */
    const dashes = this.dash.length ? { "stroke-dasharray": this.dash.join(" ") } : {};
    this.#add("path", { d: this.path, ...this.#stroke, "stroke-linejoin": "round", ...dashes });
  }

  fill() {
    this.#add("path", { d: this.path, fill: this.fillStyle });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  fillRect(x, y, width, height) {
    this.#add("rect", { ...rectangle(x, y, width, height), fill: this.fillStyle });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  strokeRect(x, y, width, height) {
    this.#add("rect", { ...rectangle(x, y, width, height), ...this.#stroke });
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   */
  fillText(text, x, y) {
    const [, weight, size, family] = /^(bold |600 )?([\d.]+)px (.*)$/.exec(this.font) ?? [null, "", "12", "sans-serif"];
    const attributes = {
      x: round(x),
      y: round(y),
      fill: this.fillStyle,
      "font-size": size,
      "font-family": family,
      ...(weight ? { "font-weight": 600 } : {}),
      "text-anchor": ANCHORS[this.textAlign],
      "dominant-baseline": BASELINES[this.textBaseline],
    };
    this.#add("text", attributes, escaped(text));
  }

  /** @param {string} text */
  measureText(text) {
    return { width: 0.56 * parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? "12") * text.length };
  }

  /**
   * A picture of pixels, not smoothed.
   * @param {HTMLCanvasElement} canvas
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  pixels(canvas, x, y, width, height) {
    this.#add("image", {
      href: canvas.toDataURL("image/png"),
      ...rectangle(x, y, width, height),
      preserveAspectRatio: "none",
      style: "image-rendering:pixelated",
    });
  }

  toString() {
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${this.#parts.join("")}</svg>`;
  }
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
const rectangle = (x, y, width, height) => ({ x: round(x), y: round(y), width: round(width), height: round(height) });
