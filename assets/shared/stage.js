// What pages with pictures need: canvases sized to their boxes, a tip at the pointer, menus and switches.

import { findAll, press } from "./dom.js";

/** @import { Format, Size } from "./types.js" */

/**
 * The context of a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  return context;
}

/**
 * A cleared context in CSS pixels; the canvas is only made anew when its size has changed.
 * @param {HTMLCanvasElement} canvas
 * @param {Size} size
 */
export function sheet(canvas, { width, height }) {
  const scale = window.devicePixelRatio || 1;
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
  if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
  const context = contextOf(canvas);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  context.scale(scale, scale);
  return context;
}

/**
 * The same for a canvas whose height follows what is drawn.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function fit(canvas, width, height) {
  const style = `${height}px`;
  if (canvas.style.height !== style) canvas.style.height = style;
  return { context: sheet(canvas, { width, height }), width, height };
}

/**
 * Width of a canvas' box. Asking while drawing would lay the page out a second time in each frame.
 * @param {HTMLCanvasElement} canvas
 */
export const widthOf = (canvas) => Math.max(120, Math.round(canvas.parentElement?.clientWidth ?? 0));

/** A few words beside the pointer, inside a box. */
export class Tip {
  /**
   * @param {HTMLElement} element
   * @param {HTMLElement} box
   */
  constructor(element, box) {
    this.element = element;
    this.box = box;
  }

  /**
   * @param {MouseEvent} event
   * @param {string} text
   */
  show(event, text) {
    const box = this.box.getBoundingClientRect();
    this.showAt(event.clientX - box.left, event.clientY - box.top, text);
  }

  /**
   * @param {number} x Pixels from the left of the box.
   * @param {number} y Pixels from its top.
   * @param {string} text
   */
  showAt(x, y, text) {
    const { element, box } = this;
    element.textContent = text;
    element.hidden = false;
    element.style.left = "0";
    element.style.left = `${Math.max(0, Math.min(x + 14, box.clientWidth - element.offsetWidth - 4))}px`;
    element.style.top = `${y + 16}px`;
  }

  hide() {
    this.element.hidden = true;
  }
}

/** @type {Format[]} */
const FORMATS = ["png", "svg", "csv", "json"];

/**
 * A menu in each place that names a figure, which saves it: `save(figure, format)`. A place may name fewer formats.
 * @param {ParentNode} root
 * @param {(figure: string, format: Format) => void} save
 */
export function saveMenus(root, save) {
  for (const place of findAll(root, "[data-figure]")) {
    const { figure = "", formats } = place.dataset;
    const select = document.createElement("select");
    select.setAttribute("aria-label", `Export ${figure}`);
    select.title = "Save this figure or its numbers";
    const offered = FORMATS.filter((format) => !formats || formats.split(" ").includes(format));
    select.append(new Option("⤓", ""), ...offered.map((format) => new Option(format.toUpperCase(), format)));
    select.addEventListener("change", () => {
      const chosen = FORMATS.find((format) => format === select.value);
      if (chosen) save(figure, chosen);
      select.value = "";
    });
    place.append(select);
  }
}

/**
 * Groups of buttons of which one is pressed: `choose(name, value)`. Gives back a function that shows a view.
 * @param {ParentNode} root
 * @param {(name: string, value: string) => void} choose
 */
export function switches(root, choose) {
  const buttons = findAll(root, ".switch").flatMap((group) =>
    findAll(group, "button").map((button) => ({
      button,
      name: group.dataset.name ?? "",
      value: button.dataset.value ?? "",
    })),
  );
  for (const { button, name, value } of buttons) {
    button.setAttribute("type", "button");
    button.addEventListener("click", () => choose(name, value));
  }
  /** @param {object} view */
  return (view) => {
    const chosen = new Map(Object.entries(view));
    for (const { button, name, value } of buttons) press(button, chosen.get(name) === value);
  };
}
