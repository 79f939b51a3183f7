// Figures, drawn on a canvas context or on an SvgContext. Each takes a context, a size and plain data; none keeps state
// but scratch canvases. Hit-testing lives beside the drawing that it has to agree with.

import { css, inkOn, magnitude, shade, statistic } from "./scales.js";

const scratch = new Map();

/** An off-screen image of nx × ny pixels, reused between calls. */
function image(name, nx, ny) {
  let one = scratch.get(name);
  if (!one || one.canvas.width !== nx || one.canvas.height !== ny) {
    const canvas = document.createElement("canvas");
    canvas.width = nx;
    canvas.height = ny;
    const context = canvas.getContext("2d");
    const data = context.createImageData(nx, ny);
    one = { canvas, context, data, pixels: new Uint32Array(data.data.buffer) };
    scratch.set(name, one);
  }
  return one;
}

function place(ctx, source, x, y, width, height) {
  source.context.putImageData(source.data, 0, 0);
  if (ctx.pixels) return ctx.pixels(source.canvas, x, y, width, height);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(source.canvas, x, y, width, height);
}

/** A fresh sheet: clear on the page, filled where the picture leaves it. */
export function clear(ctx, width, height, colours) {
  if (!ctx.pixels) ctx.clearRect(0, 0, width, height);
  if (colours.paper) {
    ctx.fillStyle = colours.background;
    ctx.fillRect(0, 0, width, height);
  }
}

function hatch(ctx, x, y, width, height, colours) {
  ctx.save();
  ctx.strokeStyle = colours.grid;
  ctx.lineWidth = 1;
  ctx.setLineDash([]);
  ctx.beginPath();
  for (let d = 7; d < width + height; d += 7) {
    ctx.moveTo(x + Math.min(d, width), y + Math.max(0, d - width));
    ctx.lineTo(x + Math.max(0, d - height), y + Math.min(d, height));
  }
  ctx.stroke();
  ctx.restore();
}

/** What was removed: hatched more strongly than what may not be seen, and framed, so that places stay apart. */
function removed(ctx, x, y, width, height, colours) {
  ctx.globalAlpha = 0.4;
  const strong = { ...colours, grid: colours.muted };
  hatch(ctx, x, y, width, height, strong);
  ctx.strokeStyle = strong.grid;
  ctx.lineWidth = 1;
  ctx.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  ctx.globalAlpha = 1;
}

/** A sentence in the middle of a box, in place of what there is not. */
export function sentence(ctx, text, box, colours) {
  ctx.font = `13px ${colours.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const lines = [""];
  const wide = 0.75 * box.width;
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && ctx.measureText(longer).width > wide) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const width = Math.max(...lines.map((one) => ctx.measureText(one).width)) + 24;
  const height = 18 * lines.length + 14;
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  ctx.fillStyle = colours.background;
  ctx.fillRect(x - width / 2, y - height / 2, width, height);
  ctx.fillStyle = colours.text;
  lines.forEach((one, i) => ctx.fillText(one, x, y + 18 * (i - (lines.length - 1) / 2)));
}

/** Where the matrix lies inside a heatmap of this size; room for token labels when they can be read. */
export function heatmapBox(width, height, n) {
  const labels = (Math.min(width, height) - 64) / n >= 4;
  const margin = labels ? 64 : 16;
  const side = Math.floor(Math.min(width - margin - 14, height - margin + 12));
  return { x: margin, y: margin - 12, side, cell: side / n, labels };
}

/**
 * Query × key matrix of one head: paper = not read, hatched = may not be seen. `missing` says why there is no matrix,
 * `colour` a weight's colour, packed, where it is not a magnitude.
 */
export function heatmap(
  ctx,
  width,
  height,
  { weights, n, tokens, pinned, missing, colours, colour = inks(colours.dark) },
) {
  const { x, y, side, cell, labels } = heatmapBox(width, height, n);
  clear(ctx, width, height, colours);
  if (missing) {
    removed(ctx, x, y, side, side, colours);
    return sentence(ctx, missing, { x, y, width: side, height: side }, colours);
  }
  const picture = image("heatmap", n, n);
  const { pixels } = picture;
  let hidden = false;
  for (let i = 0; i < n * n; i++) {
    const w = weights[i];
    if (!Number.isNaN(w)) pixels[i] = colour(w);
    else {
      pixels[i] = 0;
      hidden = true;
    }
  }
  if (hidden) hatch(ctx, x, y, side, side, colours);
  place(ctx, picture, x, y, side, side);
  ctx.strokeStyle = colours.grid;
  ctx.lineWidth = 1;
  ctx.strokeRect(x - 0.5, y - 0.5, side + 1, side + 1);
  if (labels) axisLabels(ctx, { x, y, cell, tokens, colours });
  ctx.fillStyle = colours.muted;
  ctx.font = `11px ${colours.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(labels ? "reads →" : "keys →", labels ? 2 : x, 1);
  if (pinned !== null) {
    ctx.strokeStyle = colours.accent;
    ctx.lineWidth = 2;
    ctx.strokeRect(x, y + pinned * cell, side, cell);
  }
}

function inks(dark) {
  const ramp = magnitude(dark);
  return (w) => ramp[shade(w)];
}

function axisLabels(ctx, { x, y, cell, tokens, colours }) {
  const every = Math.ceil(10 / cell);
  const size = Math.min(11, Math.max(9.5, cell * 0.9)); // as many as can be read
  for (let i = 0; i < tokens.length; i++) {
    if (i % every) continue;
    const text = tokens[i].length > 9 ? `${tokens[i].slice(0, 8)}…` : tokens[i];
    ctx.font = `${size}px ${colours.font}`;
    ctx.fillStyle = colours.muted;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    ctx.fillText(text, x - 4, y + (i + 0.5) * cell);
    ctx.save();
    ctx.translate(x + (i + 0.5) * cell, y - 4);
    ctx.rotate(-Math.PI / 2.6);
    ctx.textAlign = "left";
    ctx.fillText(text, 0, 0);
    ctx.restore();
  }
}

/** Query and key under a point, or null. */
export function heatmapAt(px, py, width, height, n) {
  const { x, y, cell } = heatmapBox(width, height, n);
  const key = Math.floor((px - x) / cell);
  const query = Math.floor((py - y) / cell);
  return key >= 0 && key < n && query >= 0 && query < n ? { query, key } : null;
}

function axes(ctx, box, colours, { xTicks, yTicks, xTitle, yTitle }) {
  ctx.font = `11px ${colours.font}`;
  ctx.lineWidth = 1;
  ctx.setLineDash([]);
  for (const [at, label] of xTicks) {
    ctx.fillStyle = colours.muted;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.fillText(label, at, box.y + box.height + 4);
  }
  for (const [at, label] of yTicks) {
    ctx.strokeStyle = colours.grid;
    ctx.beginPath();
    ctx.moveTo(box.x, at);
    ctx.lineTo(box.x + box.width, at);
    ctx.stroke();
    ctx.fillStyle = colours.muted;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    ctx.fillText(label, box.x - 5, at);
  }
  ctx.fillStyle = colours.muted;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.fillText(xTitle, box.x + box.width / 2, box.y + box.height + 18);
  ctx.textAlign = "left";
  ctx.fillText(yTitle, 2, 1);
}

function line(ctx, points, colour, width, dash = []) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Lorenz curve at this budget (solid) against full budget (dashed) and equality (dotted). */
export function lorenzPlot(ctx, width, height, { curve, full, missing, colours, unitName }) {
  lorenzCurves(ctx, width, height, {
    missing,
    colours,
    unitName,
    filled: curve && colours.budget,
    curves: [
      { label: "full budget", shares: full, colour: colours.full, width: 2, dash: [6, 4] },
      { label: "this budget", shares: curve, colour: colours.budget, width: 2.5, dash: [] },
    ],
    legend: ["this budget", "full budget"],
  });
}

/** Lorenz curves in one plot, the last on top; the area below the last is tinted if `filled` names a colour. `legend` puts their labels in order. */
export function lorenzCurves(ctx, width, height, { curves, legend: order, filled, missing, colours, unitName }) {
  clear(ctx, width, height, colours);
  const box = { x: 34, y: 20, width: width - 54, height: height - 56 };
  const px = (p) => box.x + p * box.width;
  const py = (s) => box.y + (1 - s) * box.height;
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  axes(ctx, box, colours, {
    xTicks: ticks.map((t) => [px(t), `${t * 100} %`]),
    yTicks: ticks.map((t) => [py(t), `${t * 100}`]),
    xTitle: `poorest ${unitName}`,
    yTitle: "their share of attention, %",
  });
  if (missing) return sentence(ctx, missing, box, colours);
  line(
    ctx,
    [
      [px(0), py(0)],
      [px(1), py(1)],
    ],
    colours.muted,
    1,
    [2, 3],
  );
  const path = (c) => Array.from(c, (s, i) => [px(i / (c.length - 1)), py(s)]);
  if (filled) {
    ctx.fillStyle = filled;
    ctx.globalAlpha = 0.12;
    ctx.beginPath();
    ctx.moveTo(px(0), py(0));
    for (const [x, y] of path(curves.at(-1).shares)) ctx.lineTo(x, y);
    ctx.closePath();
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  for (const { shares, colour, width: wide, dash } of curves) if (shares) line(ctx, path(shares), colour, wide, dash);
  const entries = order.map((name) => {
    const { label, colour, dash } = curves.find((curve) => curve.label === name);
    return [label, colour, dash];
  });
  legend(ctx, box.x + 8, box.y + 4, colours, [...entries, ["equality", colours.muted, [2, 3]]]);
}

function legend(ctx, x, y, colours, entries) {
  ctx.font = `11px ${colours.font}`;
  ctx.globalAlpha = 0.8; // lines stay visible behind it
  ctx.fillStyle = colours.background;
  ctx.fillRect(
    x - 4,
    y - 2,
    40 + Math.max(...entries.map(([label]) => ctx.measureText(label).width)),
    15 * entries.length + 3,
  );
  ctx.globalAlpha = 1;
  entries.forEach(([label, colour, dash], i) => {
    line(
      ctx,
      [
        [x, y + 7 + i * 15],
        [x + 22, y + 7 + i * 15],
      ],
      colour,
      2,
      dash,
    );
    ctx.fillStyle = colours.text;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(label, x + 28, y + 7 + i * 15);
  });
}

const DASHES = [
  [7, 4],
  [2, 3],
  [9, 3, 2, 3],
  [4, 4],
];

/** Box of the scarcity plot and its x positions: k on a log scale. */
export function scarcityBox(width, height, n) {
  const box = { x: 44, y: 20, width: width - 58, height: height - 56 };
  return { ...box, at: (k) => box.x + (n > 1 ? Math.log(k) / Math.log(n) : 0.5) * box.width };
}

/** How far the output moves as keys get scarce: the chosen policy, the control arms, and the budget in force. */
export function scarcityPlot(ctx, width, height, { own, arms, k, n, unit, flips, colours }) {
  const others = arms.map((arm, i) => ({ ...arm, colour: colours.arms[i % 4], width: 1.6, dash: DASHES[i % 4] }));
  scarcityLines(ctx, width, height, {
    lines: [{ ...own, colour: colours.budget, width: 2.5, dash: [], dotted: true }, ...others],
    k,
    n,
    unit,
    colours,
    flips: [{ at: flips, colour: colours.arms[1] }],
  });
}

/** Changes of outputs against the budget, the first line on top; `flips` are dots on the axis, a row of them for each entry. */
export function scarcityLines(ctx, width, height, { lines, k, n, unit, flips, colours }) {
  clear(ctx, width, height, colours);
  const box = scarcityBox(width, height, n);
  const top = Math.max(1e-6, ...lines.flatMap((one) => one.points.map((p) => p[1])));
  const py = (v) => box.y + (1 - v / (top * 1.08)) * box.height;
  const kTicks = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].filter((t) => t < n * 0.75).concat([n]);
  axes(ctx, box, colours, {
    xTicks: kTicks.map((t) => [box.at(t), String(t)]),
    yTicks: [0, top / 2, top].map((v) => [
      py(v),
      !v ? "0" : v < 0.001 ? v.toExponential(0) : v < 0.1 ? v.toFixed(3) : v.toFixed(2),
    ]),
    xTitle: "keys each query may read (log scale)",
    yTitle: unit,
  });
  for (const { points, colour, width: wide, dash, dotted } of lines.toReversed()) {
    line(
      ctx,
      points.map(([b, v]) => [box.at(b), py(v)]),
      colour,
      wide,
      dash,
    );
    if (dotted)
      for (const [b, v] of points) {
        ctx.fillStyle = colour;
        ctx.beginPath();
        ctx.arc(box.at(b), py(v), 2.2, 0, 7);
        ctx.fill();
      }
  }
  line(
    ctx,
    [
      [box.at(k), box.y],
      [box.at(k), box.y + box.height],
    ],
    colours.text,
    1.2,
  );
  ctx.fillStyle = colours.text;
  ctx.font = `600 11px ${colours.font}`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = box.at(k) > box.x + box.width - 40 ? "right" : "left";
  ctx.fillText(`k = ${k}`, box.at(k) + (ctx.textAlign === "right" ? -4 : 4), box.y + box.height - 3);
  flips.forEach(({ at, colour }, row) => {
    ctx.fillStyle = colour;
    for (const b of at) {
      ctx.beginPath();
      ctx.arc(box.at(b), box.y + box.height - 7 * row, 3.2, 0, 7);
      ctx.fill();
    }
  });
  legend(
    ctx,
    box.x + box.width - 120,
    box.y + 2,
    colours,
    lines.map(({ label, colour, dash }) => [label, colour, dash]),
  );
}

/** Tiles of the atlas: one row a layer, one column a head. */
export function atlasBox(width, height, nLayers, nHeads) {
  const left = 26;
  const top = 18;
  const tile = Math.max(6, Math.min((width - left - 2) / nHeads, (height - top - 26) / nLayers, 46));
  return { left, top, tile };
}

/** Every head as a tile coloured by a statistic, or as a thumbnail of its attention framed in that colour; those in `gone` (row-major indices) hatched. */
export function atlas(
  ctx,
  width,
  height,
  {
    values,
    low,
    high,
    heads,
    nHeads,
    gone,
    thumbnails,
    n,
    selected,
    hover,
    label,
    colours,
    ramp = statistic(),
    rows = null,
    signed = false,
  },
) {
  clear(ctx, width, height, colours);
  const nLayers = heads.length;
  const { left, top, tile } = atlasBox(width, height, nLayers, nHeads);
  const sign = (value) => (signed && value > 0 ? "+" : "");
  ctx.font = `10px ${colours.font}`;
  ctx.fillStyle = colours.muted;
  ctx.textBaseline = "middle";
  for (let l = 0; l < nLayers; l++) {
    ctx.textAlign = "right";
    ctx.fillText(rows?.[l] ?? `L${l}`, left - 5, top + (l + 0.5) * tile);
  }
  for (let h = 0; h < nHeads; h++) {
    ctx.textAlign = "center";
    if (tile > 13 || h % 4 === 0) ctx.fillText(`H${h}`, left + (h + 0.5) * tile, top - 8);
  }
  for (let l = 0; l < nLayers; l++) {
    for (let h = 0; h < nHeads; h++) {
      const x = left + h * tile + 1;
      const y = top + l * tile + 1;
      const size = tile - 2;
      const value = values[l * nHeads + h];
      if (gone.has(l * nHeads + h)) {
        removed(ctx, x, y, size, size, colours);
        continue;
      }
      if (h >= heads[l] || Number.isNaN(value)) {
        hatch(ctx, x, y, size, size, colours);
        continue;
      }
      const colour = ramp[Math.max(0, Math.min(255, Math.round(((value - low) / (high - low || 1)) * 255)))];
      ctx.fillStyle = css(colour);
      ctx.fillRect(x, y, size, size);
      const pixels = thumbnails?.(l, h);
      if (pixels) place(ctx, thumbnail(pixels, n, colours), x + 3, y + 3, size - 6, size - 6);
      else if (tile > 21) {
        ctx.font = `${tile > 30 ? 10 : 9}px ${colours.font}`;
        ctx.fillStyle = inkOn(colour);
        ctx.textAlign = "center";
        ctx.fillText(
          signed ? short(value) : value < 10 ? value.toFixed(2) : value.toFixed(0),
          x + size / 2,
          y + size / 2,
        );
      }
    }
  }
  for (const [one, colour, thick] of [
    [hover, colours.muted, 2],
    [selected, colours.accent, 3],
  ]) {
    if (!one) continue;
    ctx.strokeStyle = colour;
    ctx.lineWidth = thick;
    ctx.strokeRect(left + one.head * tile + 0.5, top + one.layer * tile + 0.5, tile - 1, tile - 1);
  }
  colourBar(ctx, left, top + nLayers * tile + 8, Math.min(nHeads * tile, width - left - 4), {
    low,
    high,
    label,
    colours,
    ramp,
    sign,
  });
}

/** A signed number in few letters: +.41, −1.3, +12. */
function short(value) {
  const size = Math.abs(value);
  const text = size < 0.995 ? size.toFixed(2).slice(1) : size < 9.95 ? size.toFixed(1) : size.toFixed(0);
  return `${size < 0.005 ? "" : value > 0 ? "+" : "−"}${size < 0.005 ? "0" : text}`;
}

/** At most 20 × 20 pixels of one head, each the largest weight it covers. */
function thumbnail(weights, n, colours) {
  const side = Math.min(n, 20);
  const picture = image("thumbnail", side, side);
  const ramp = magnitude(colours.dark);
  const paper = ramp[0];
  for (let a = 0; a < side; a++) {
    const q0 = Math.floor((a * n) / side);
    const q1 = Math.floor(((a + 1) * n) / side);
    for (let b = 0; b < side; b++) {
      const k0 = Math.floor((b * n) / side);
      const k1 = Math.floor(((b + 1) * n) / side);
      let most = 0;
      for (let q = q0; q < q1; q++)
        for (let k = k0; k < k1; k++) {
          const w = weights[q * n + k];
          if (w > most) most = w;
        }
      picture.pixels[a * side + b] = most > 0 ? ramp[shade(most)] : paper;
    }
  }
  return picture;
}

/** Token chips for export; on the page they are elements, so that they can be read aloud and selected. */
export function chipsPlot(ctx, width, height, { tokens, joined, colours, colourOf }) {
  clear(ctx, width, height, colours);
  ctx.font = `13px ${colours.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let x = 4;
  let y = 4;
  tokens.forEach((token, i) => {
    const wide = ctx.measureText(token).width + 10;
    if (x + wide > width - 4) {
      x = 4;
      y += 27;
    } else if (i && !joined[i]) x += 4;
    const colour = colourOf(i);
    ctx.fillStyle = css(colour);
    ctx.fillRect(x, y, wide, 22);
    ctx.fillStyle = inkOn(colour);
    ctx.fillText(token, x + 5, y + 11);
    x += wide + 1;
  });
}

export function colourBar(ctx, x, y, width, { low, high, label, colours, ramp, sign }) {
  const bar = Math.min(120, width / 3);
  for (let i = 0; i < 40; i++) {
    ctx.fillStyle = css(ramp[Math.round((i / 39) * 255)]);
    ctx.fillRect(x + 34 + (i / 40) * bar, y, bar / 40 + 0.6, 9);
  }
  const number = (v) => sign(v) + (Math.abs(v) >= 10 ? v.toFixed(0) : v.toFixed(2));
  ctx.fillStyle = colours.muted;
  ctx.font = `10px ${colours.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  ctx.fillText(number(low), x + 30, y + 5);
  ctx.textAlign = "left";
  ctx.fillText(number(high), x + 38 + bar, y + 5);
  ctx.fillText(label, x + 38 + bar + Math.max(32, ctx.measureText(number(high)).width + 10), y + 5);
}

/** Layer and head under a point, or null. */
export function atlasAt(px, py, width, height, heads, nHeads) {
  const { left, top, tile } = atlasBox(width, height, heads.length, nHeads);
  const head = Math.floor((px - left) / tile);
  const layer = Math.floor((py - top) / tile);
  return layer >= 0 && layer < heads.length && head >= 0 && head < heads[layer] ? { layer, head } : null;
}
