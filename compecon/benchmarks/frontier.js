// The plot of the Frontier page by itself, with made-up data, measured from inside.
import { mount } from "/compecon/frontier/main.js";

const bench = (window.frontierBench = { moves: [], told: 0, drawn: null });
const root = document.getElementById("root");
const text = async (address) => (await fetch(address)).text();
const style = Object.assign(document.createElement("style"), { textContent: await text("/bench/frontier.css") });
document.head.append(style);
root.innerHTML = await text("/bench/part.html");
const data = await (await fetch("/bench/data.json")).json();

// When a frame is made: the turn after the animation frame, once style, layout and paint are done.
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.shift()();
const painted = (call) =>
  requestAnimationFrame(() => {
    waiting.push(call);
    channel.port2.postMessage(0);
  });

const tell = () => {
  bench.told += 1;
};
const library = document.createElement("script"); // loading it is told apart from drawing
const began = performance.now();
library.src = data.plotly;
library.onload = () => {
  bench.loaded = performance.now() - began;
  const from = performance.now();
  const plot = root.querySelector(".plot");
  const cf = root.querySelector(".cf");
  const look = new MutationObserver(() => {
    if (cf.dataset.drawn) {
      look.disconnect();
      bench.plotted = performance.now() - from;
      painted(() => {
        bench.drawn = performance.now() - from;
      });
    }
  });
  look.observe(cf, { attributes: true });
  mount({ data, parentElement: root, setStateValue: tell, setTriggerValue: tell });
};
document.head.append(library);

/** Milliseconds of a fixed loop: compares browsers and busy moments. */
bench.calibrate = () => {
  const started = performance.now();
  let x = 0;
  for (let i = 0; i < 2e7; i++) x = (x * 1664525 + 1013904223) | 0;
  bench.sink = x;
  return performance.now() - started;
};

let move = null;
window.addEventListener(
  "pointermove",
  (event) => {
    move = event.buttons === 1 ? { start: event.timeStamp, delivered: performance.now() } : null;
  },
  true,
);
window.addEventListener(
  "input",
  () => {
    if (move) move.called = performance.now();
  },
  true,
);
window.addEventListener("input", () => {
  if (!move?.called) return;
  const one = move;
  one.returned = performance.now();
  move = null;
  painted(() =>
    bench.moves.push({
      total: performance.now() - one.start,
      wait: one.delivered - one.start,
      handler: one.returned - one.called,
      marks: Number(root.querySelector(".cf").dataset.marks),
    }),
  );
});
