// The plot of the Frontier page by itself, with made-up data, measured from inside.
import { mount } from "/compecon/frontier/main.js";
import { plotly } from "/compecon/frontier/plotly.js";

const { painted, drags, calibrate } = window.compeconFrames;
/** @type {Window["frontierBench"]} */
const bench = { moves: [], told: 0, drawn: null, calibrate };
window.frontierBench = bench;
const root = document.body;
/** @param {string} address */
const text = async (address) => (await fetch(address)).text();
const style = document.createElement("style");
style.textContent = await text("/bench/frontier.css");
document.head.append(style);
root.innerHTML = await text("/bench/part.html");
const data = JSON.parse(await text("/bench/data.json"));
const cf = root.querySelector(".cf");
if (!(cf instanceof HTMLElement)) throw new Error("The part has no .cf.");

const tell = () => {
  bench.told += 1;
};
const began = performance.now(); // loading the library is told apart from drawing
await plotly(data.plotly);
const loaded = performance.now();
const look = new MutationObserver(async () => {
  if (!cf.dataset.drawn) return;
  look.disconnect();
  Object.assign(bench, { loaded: loaded - began, plotted: performance.now() - loaded });
  bench.drawn = (await painted()) - loaded;
});
look.observe(cf, { attributes: true });
mount({ data, parentElement: root, setStateValue: tell, setTriggerValue: tell });

drags(
  () => null,
  ({ total, wait, handler }) => bench.moves.push({ total, wait, handler, marks: Number(cf.dataset.marks) }),
);
