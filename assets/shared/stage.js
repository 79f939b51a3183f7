// What every page with pictures needs: canvases sized to their boxes, a tip at the pointer, a menu that saves a figure.

/** A canvas sized to its box and the screen's pixels; gives back a context in CSS pixels. */
export function fit(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width, height };
}

/** Names a picture for those who hear it. */
export const label = (canvas, text) => {
  if (canvas.ariaLabel !== text) canvas.ariaLabel = text;
};

/** Width of a canvas' box. Asking while drawing would lay the page out a second time in each frame. */
export const widthOf = (canvas) => Math.max(120, Math.round(canvas.parentElement.clientWidth));

/** A few words beside the pointer, inside a box. */
export class Tip {
  constructor(element, box) {
    Object.assign(this, { element, box });
  }

  show(event, text) {
    const box = this.box.getBoundingClientRect();
    this.element.textContent = text;
    this.element.hidden = false;
    this.element.style.left = `${Math.min(event.clientX - box.left + 14, box.width - 250)}px`;
    this.element.style.top = `${event.clientY - box.top + 16}px`;
  }

  hide() {
    this.element.hidden = true;
  }
}

/** A menu in `place` that saves the figure named there: `save(figure, format)`. */
export function saveMenu(place, save) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", `Export ${place.dataset.figure}`);
  select.title = "Save this figure or its numbers";
  select.append(new Option("⤓", ""), ...["png", "svg", "csv", "json"].map((f) => new Option(f.toUpperCase(), f)));
  select.addEventListener("change", () => {
    if (select.value) save(place.dataset.figure, select.value);
    select.value = "";
  });
  place.append(select);
}

/** Groups of buttons of which one is pressed: `choose(name, value)`. Gives back a function that shows a view. */
export function switches(root, choose) {
  const groups = [...root.querySelectorAll(".switch")];
  for (const group of groups) {
    for (const button of group.children) {
      button.type = "button";
      button.addEventListener("click", () => choose(group.dataset.name, button.dataset.value));
    }
  }
  return (view) => {
    for (const group of groups)
      for (const button of group.children) {
        const pressed = String(view[group.dataset.name] === button.dataset.value);
        if (button.ariaPressed !== pressed) button.ariaPressed = pressed;
      }
  };
}

/** What takes input on every canvas of attention: the budget bar, the dismissal of a message, the statistic that colours heads, the switches. */
export function sharedInputs(owner, statistics) {
  const range = owner.$("input[type=range]");
  const select = owner.$("select.statistic");
  range.addEventListener("input", () => owner.set({ k: owner.stops[+range.value] }, false));
  range.addEventListener("change", () => owner.tell());
  owner.$(".alert button").addEventListener("click", () => owner.say(null));
  select.replaceChildren(...Object.entries(statistics).map(([name, { label }]) => new Option(label, name)));
  select.addEventListener("change", () => owner.set({ statistic: select.value }));
  return { range, select, showSwitches: switches(owner.root, (name, value) => owner.set({ [name]: value })) };
}
