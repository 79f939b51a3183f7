// Elements: found for certain, made, and written to only where something changes.

/**
 * The element of a kind at a selector. Markup and code travel together, so one that is missing is a mistake of ours.
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [Kind]
 * @returns {T}
 */
export function find(root, selector, Kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof (Kind ?? HTMLElement))) throw new Error(`The page has no ${selector}.`);
  return /** @type {T} */ (found);
}

/**
 * All elements at a selector.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export const findAll = (root, selector) =>
  [...root.querySelectorAll(selector)].filter((one) => one instanceof HTMLElement);

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 */
export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * Writes a text where it differs, into the node that holds it: an equal text would still cost a layout, a new node a
 * style.
 * @param {Element} element One with text alone.
 * @param {string} text
 */
export function write(element, text) {
  const node = element.firstChild;
  if (!(node instanceof Text) || node.nextSibling) element.textContent = text;
  else if (node.data !== text) node.data = text;
}

/**
 * Names a picture for those who hear it.
 * @param {Element} canvas
 * @param {string} text
 */
export function label(canvas, text) {
  if (canvas.ariaLabel !== text) canvas.ariaLabel = text;
}

/**
 * Marks a button as pressed or not.
 * @param {Element} button
 * @param {boolean} isPressed
 */
export function press(button, isPressed) {
  if (button.ariaPressed !== String(isPressed)) button.ariaPressed = String(isPressed);
}
