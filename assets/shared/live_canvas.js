// What every canvas does: it measures and redraws when its box changes, draws at most once a frame, tells Streamlit
// what was let go, and is mounted once for a place on the page.

import { find } from "./dom.js";

/** @import { Mounted, Mounting, Send } from "./types.js" */

export class LiveCanvas {
  /** @type {Send} */
  send = () => {};
  #drawing = 0;
  #telling = 0;

  /**
   * @param {ParentNode} root
   * @param {string} selector The box that everything lies in.
   * @param {string} [watched] What is watched for its size, if that is not the box.
   */
  constructor(root, selector, watched = selector) {
    this.root = root;
    this.box = find(root, selector);
    this.resize = new ResizeObserver(() => this.resized());
    this.resize.observe(find(root, watched));
  }

  /** @param {string} selector */
  $(selector) {
    return find(this.root, selector);
  }

  /** Draws what is shown now. */
  draw() {}

  /** Asks for sizes, when they may have changed: to ask while drawing would lay the page out anew. */
  measure() {}

  resized() {
    this.measure();
    this.draw();
  }

  /** Redraws at most once a frame while messages pour in. */
  drawSoon() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.draw();
    });
  }

  /**
   * Tells Streamlit where the page looks, once it has come to rest there.
   * @param {() => unknown} view
   */
  tellSoon(view) {
    this.tellNothing();
    this.#telling = setTimeout(() => this.send("view", view()), 120);
  }

  tellNothing() {
    clearTimeout(this.#telling);
  }

  dispose() {
    this.resize.disconnect();
    this.tellNothing();
    cancelAnimationFrame(this.#drawing);
  }
}

/**
 * The entry point of a canvas, called by its component's stub on every change from Streamlit.
 * @template Data
 * @param {new (root: HTMLElement | ShadowRoot) => Mounted<Data>} Canvas
 */
export function mounting(Canvas) {
  /** @type {WeakMap<HTMLElement | ShadowRoot, Mounted<Data>>} */
  const mounted = new WeakMap();
  /** @param {Mounting<Data>} component */
  return ({ data, parentElement, setStateValue, setTriggerValue }) => {
    const canvas = mounted.get(parentElement) ?? new Canvas(parentElement);
    mounted.set(parentElement, canvas);
    canvas.update(data, setStateValue, setTriggerValue);
    return () => {
      canvas.dispose();
      mounted.delete(parentElement);
    };
  };
}
