// The first picture: a page's own canvas, on the page before Streamlit's own scripts run. Those take
// longer to come and to start than all that the picture needs.

import { abandon, comeFirst } from "./succession.js";

const WAIT_MS = 1500; // so long may the picture take before Streamlit starts regardless
const EMPTY_MS = 5000; // so long may a finished page be without a canvas: then it shows something else
const ABOVE = "1000000"; // Streamlit's sidebar has 999990
const WIDE = "(min-width: 769px)"; // where Streamlit's sidebar is open

let hasBegun = false;

/** Starts Streamlit. */
function begin() {
  if (hasBegun) return;
  hasBegun = true;
  const script = document.createElement("script");
  script.type = "module";
  script.crossOrigin = "";
  script.src = document.querySelector("link[data-streamlit]")?.getAttribute("href") ?? "";
  document.head.append(script);
}

/** @returns {"light" | "dark"} The theme that Streamlit will choose. */
function theme() {
  const kept = localStorage.getItem(`stActiveTheme-${location.pathname}-v2`) ?? "";
  if (/^"(Light|Dark)"$/.test(kept)) return kept === '"Dark"' ? "dark" : "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/**
 * Where Streamlit's canvas will stand.
 * @param {Record<string, string>} colours
 * @param {number} below Pixels that Streamlit's own widgets will take above it.
 */
function placed(colours, below) {
  const host = document.createElement("div");
  host.id = "compecon-first-picture";
  const sidebar = document.createElement("div");
  const fit = () => {
    const isWide = matchMedia(WIDE).matches;
    host.style.inset = isWide ? "0 0 0 250px" : "0";
    host.style.padding = `${(isWide ? 15 : 71.25) + below}px 24px 15px`;
    sidebar.hidden = !isWide;
  };
  Object.assign(host.style, { position: "fixed", zIndex: ABOVE, overflow: "auto", boxSizing: "border-box" });
  host.style.background = colours.backgroundColor;
  Object.assign(sidebar.style, { position: "fixed", zIndex: ABOVE, inset: "0 auto 0 0", width: "250px" });
  sidebar.style.background = colours.secondaryBackgroundColor;
  for (const [name, value] of Object.entries(colours))
    host.style.setProperty(`--st-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, value);
  host.style.setProperty("--st-font", '"Source Sans", sans-serif');
  document.documentElement.style.background = colours.backgroundColor;
  document.body.prepend(sidebar);
  document.body.append(host);
  fit();
  addEventListener("resize", fit);
  uncover(sidebar);
  const box = document.createElement("div");
  Object.assign(box.style, { maxWidth: "1452px", margin: "0 auto", visibility: "hidden" });
  host.append(box);
  return {
    host,
    box,
    ended: () => {
      removeEventListener("resize", fit);
      sidebar.remove();
    },
  };
}

/**
 * Takes a cover away once Streamlit's sidebar stands under it: before, that has other colours and another width.
 * @param {HTMLElement} cover
 */
function uncover(cover) {
  const sidebar = document.querySelector('[data-testid="stSidebar"]');
  const stands = sidebar && Math.round(sidebar.getBoundingClientRect().right) === cover.offsetWidth;
  if (stands && getComputedStyle(sidebar).backgroundColor === getComputedStyle(cover).backgroundColor) cover.remove();
  else if (cover.isConnected) requestAnimationFrame(() => uncover(cover));
}

/** Leaves the page to Streamlit where it shows something else: another page, an error, or no canvas. */
function watch() {
  const { pathname } = location;
  let empty = 0;
  const looking = setInterval(() => {
    if (!document.getElementById("compecon-first-picture")) return clearInterval(looking);
    const state = document.querySelector("[data-test-script-state]")?.getAttribute("data-test-script-state");
    empty = state === "notRunning" ? empty + 250 : 0;
    const isElsewhere = location.pathname !== pathname || document.querySelector('[data-testid="stException"]');
    if (isElsewhere || empty >= EMPTY_MS) abandon();
  }, 250);
}

/** If the server says that it cannot start, so does the page. */
async function hear(/** @type {(sentence: string) => void} */ say) {
  const answer = await fetch("/_stcore/health").catch(() => null);
  if (answer?.status === 503) say(await answer.text());
}

async function show() {
  const template = document.querySelector("#compecon-first");
  if (!(template instanceof HTMLTemplateElement)) return;
  if (template.dataset.wide && !matchMedia(WIDE).matches) return begin();
  const { canvas: folder = "", source = "", request = "", themes = "", below = "0", isolated } = template.dataset;
  // At once: whatever comes first under it, in whatever colours, the page does not change them.
  const { host, box, ended } = placed(JSON.parse(themes)[theme()], Number(below));
  try {
    const arriving = handed(request, source);
    arriving.catch(() => {}); // is awaited below
    const { Canvas } = await import(`../${folder}/main.js`);
    const root = isolated ? box.attachShadow({ mode: "open" }) : box;
    root.append(template.content.cloneNode(true));
    const canvas = new Canvas(root);
    const reveal = () => {
      box.style.visibility = ""; // until it has drawn, there are headings and menus without anything to them
    };
    comeFirst(canvas, host, { drawn: reveal, painted: begin, ended });
    setTimeout(reveal, EMPTY_MS);
    watch();
    const data = await arriving;
    if (!host.isConnected) return; // Streamlit has been faster
    const unheard = () => {};
    canvas.update(data, unheard, unheard);
    hear((sentence) => {
      canvas.warn(sentence);
      reveal();
    });
  } catch (error) {
    host.remove(); // else it would cover the page
    ended();
    throw error;
  }
}

/**
 * What the canvas is handed: as the page says, or what is at an address.
 * @param {string} request
 * @param {string} source
 */
async function handed(request, source) {
  if (request) {
    const data = JSON.parse(request);
    data.source.url = source;
    return data;
  }
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(`${source}: ${answer.status}`);
  return answer.json();
}

setTimeout(begin, WAIT_MS);
show().catch((error) => {
  console.error(error);
  abandon();
  begin();
});
