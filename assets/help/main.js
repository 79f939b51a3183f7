// Links from one page of the guide to another. Streamlit opens every link in a new tab; these change the page instead.
// Without this script they still lead there.

const LINK = '[data-testid="stMarkdown"] a[href^="?topic="]';
const TRIES = 60; // frames that a page may take to be drawn
let shown = ""; // the topic on the screen
let heading = ""; // where to go on the next one
let listening = new AbortController();

/** Brings a heading into view once it is drawn, or the top of the page. */
function show(/** @type {string} */ id, tries = TRIES) {
  const place = id ? document.getElementById(id) : document.querySelector('[data-testid="stMain"]')?.firstElementChild;
  if (place) place.scrollIntoView();
  else if (tries) requestAnimationFrame(() => show(id, tries - 1));
}

/**
 * Called by Streamlit at first and after every run of the script.
 *
 * @param {{
 *   data: { topic: string },
 *   parentElement: ParentNode,
 *   setTriggerValue: (name: string, value: string) => void,
 * }} component
 */
export function mount({ data, parentElement, setTriggerValue }) {
  const mine = new AbortController();
  listening.abort();
  listening = mine;
  const follow = (/** @type {MouseEvent} */ event) => {
    const link = event.target instanceof Element && event.target.closest(LINK);
    if (!(link instanceof HTMLAnchorElement)) return;
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const topic = new URLSearchParams(link.search).get("topic") ?? "";
    heading = link.hash.slice(1);
    if (topic === data.topic) show(heading);
    else setTriggerValue("topic", topic);
  };
  document.addEventListener("click", follow, { capture: true, signal: mine.signal });
  const wanted = heading;
  if (shown && shown !== data.topic) requestAnimationFrame(() => show(wanted));
  shown = data.topic;
  heading = "";
  parentElement.querySelector("span")?.setAttribute("data-topic", data.topic); // from here on, links are followed
  return () => mine.abort();
}
