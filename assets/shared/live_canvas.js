// What every canvas does: it measures and redraws when its box changes, draws at most once a frame, tells Streamlit
// what was let go, and is mounted once for a place on the page.

import { within } from "./beyond.js";
import { find } from "./dom.js";
import { textOf } from "./words.js";

/** @import { Asked } from "./beyond.js" */
/** @import { Store } from "./store.js" */
/** @import { Mounted, Mounting, Send } from "./types.js" */

const REST_MS = 100; // no move for so long: the pointer rests, and there is time to read

export class LiveCanvas {
  /** @type {Send} */
  send = () => {};
  #drawing = 0;
  /** @type {Map<string, HTMLElement>} */
  #found = new Map();
  #telling = 0;
  #resting = 0;
  /** Whether the view is still that of an address, and a sentence on what that asked for in vain. */
  #isAsked = true;
  beyond = "";
  /** Whether the picture is of an earlier text than the last one entered, which was refused. */
  isOlder = false;

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

  /**
   * The element at a selector, one that stays as long as the canvas.
   * @param {string} selector
   */
  $(selector) {
    const found = this.#found.get(selector) ?? find(this.root, selector);
    this.#found.set(selector, found);
    return found;
  }

  /**
   * Draws what is shown now.
   * @param {boolean} [_isMoving] Whether a pointer moves the budget: then sentences wait until it rests.
   */
  draw(_isMoving) {}

  /** Says in sentences what is drawn. */
  say() {}

  /**
   * Says it at once, or when no move has come for a while.
   * @param {boolean} isMoving
   */
  sayAfter(isMoving) {
    clearTimeout(this.#resting);
    this.#resting = isMoving ? setTimeout(() => this.sayAfter(false), REST_MS) : 0;
    if (!isMoving) this.say();
  }

  /**
   * Shows a sentence above the picture, where the canvas has a place for one, or takes it away.
   * @param {string | null} sentence
   */
  warn(sentence) {
    if (!sentence) this.beyond = "";
    const box = this.root.querySelector(".alert");
    if (!(box instanceof HTMLElement)) return;
    box.hidden = !sentence;
    if (sentence) find(box, "span").textContent = sentence;
  }

  /**
   * Says what the address asks for beyond the last budget, layer and head, once these are known, and moves the view.
   * @param {Asked} view
   * @param {{ k: number, layer: number, head: number }} last
   */
  placeAsked(view, last) {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    const { sentence, place } = within(view, last);
    if (!sentence) return;
    Object.assign(view, place);
    this.beyond = sentence;
    this.warn(sentence);
    this.tell();
  }

  /**
   * Dims the picture and names the text that it is of, after another one was refused; or shows it as it is.
   * @param {Store | null} [store] Of the picture; null where that is of the text that was entered.
   */
  showOlder(store = null) {
    const text = store && textOf(store);
    this.isOlder = Boolean(text);
    this.box.classList.toggle("old", this.isOlder);
    const box = this.$(".older");
    box.hidden = !text;
    if (text) box.textContent = `This picture is still of “${text}”.`;
  }

  /** Tells Streamlit where the page looks. */
  tell() {}

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
   * The pointer has let go: says what is still unsaid, and tells Streamlit where the page looks once it stays there.
   * @param {() => unknown} view
   */
  tellSoon(view) {
    if (this.#resting) this.sayAfter(false);
    this.tellNothing();
    this.#telling = setTimeout(() => this.send("view", view()), 120);
  }

  tellNothing() {
    clearTimeout(this.#telling);
  }

  dispose() {
    this.resize.disconnect();
    this.tellNothing();
    clearTimeout(this.#resting);
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
