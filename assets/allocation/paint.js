// Lines, axes and bars of the Allocation page, for a canvas or for SVG. Nothing is computed here but places on a sheet.

/** Numbers as people write them: four digits, thousands apart. */
export const number = (x, digits = 4) =>
  x === null || !Number.isFinite(x)
    ? "none"
    : x !== 0 && (Math.abs(x) < 1e-6 || Math.abs(x) >= 1e9)
      ? x.toExponential(2).replace("e", "·10^").replace("+", "")
      : format(Math.max(digits, Math.ceil(Math.log10(Math.abs(x) + 1)))).format(x);

const formats = new Map(); // making one takes longer than using it a hundred times
function format(digits) {
  if (!formats.has(digits)) formats.set(digits, new Intl.NumberFormat("en", { maximumSignificantDigits: digits }));
  return formats.get(digits);
}

/** A cleared context in CSS pixels. The size is measured elsewhere: asking for it here would lay out the page anew. */
export function sheet(canvas, { width, height }) {
  const scale = window.devicePixelRatio || 1;
  const w = Math.round(width * scale);
  const h = Math.round(height * scale);
  const ctx = canvas.getContext("2d");
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, w, h);
  ctx.scale(scale, scale);
  return ctx;
}

function ticks(top, n = 4) {
  if (!(top > 0)) return [0];
  const raw = top / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** Axes with a grid; gives back how numbers become places. */
export function axes(ctx, width, height, colours, { right, top, xTitle, yTitle }) {
  const box = { left: 58, right: width - 10, top: 20, bottom: height - 34 };
  const x = (v) => box.left + (v / (right || 1)) * (box.right - box.left);
  const y = (v) => box.bottom - (v / (top || 1)) * (box.bottom - box.top);
  ctx.font = `11px ${colours.font}`;
  ctx.strokeStyle = colours.grid;
  ctx.fillStyle = colours.muted;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const tick of ticks(right, width < 420 ? 3 : 5)) {
    ctx.moveTo(x(tick), box.top);
    ctx.lineTo(x(tick), box.bottom);
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.fillText(number(tick, 3), x(tick), box.bottom + 5);
  }
  for (const tick of ticks(top)) {
    ctx.moveTo(box.left, y(tick));
    ctx.lineTo(box.right, y(tick));
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    ctx.fillText(number(tick, 3), box.left - 6, y(tick));
  }
  ctx.stroke();
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(xTitle, box.right, height - 1);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(yTitle, 4, 2);
  return { box, x, y };
}

/** The part of a stretch inside a box, or null (Liang and Barsky 1984). */
function inside(box, [x0, y0], [x1, y1]) {
  let from = 0;
  let to = 1;
  for (const [by, room] of [
    [x0 - x1, x0 - box.left],
    [x1 - x0, box.right - x0],
    [y0 - y1, y0 - box.top],
    [y1 - y0, box.bottom - y0],
  ]) {
    if (by === 0 && room < 0) return null;
    if (by < 0) from = Math.max(from, room / by);
    if (by > 0) to = Math.min(to, room / by);
  }
  return from > to ? null : [from, to].map((t) => [x0 + t * (x1 - x0), y0 + t * (y1 - y0)]);
}

/** A line through points, cut off at the box. */
export function line(ctx, box, points, { colour, width = 2, dash = [], alpha = 1 }) {
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  let last = null;
  for (let i = 1; i < points.length; i++) {
    const part = inside(box, points[i - 1], points[i]);
    if (!part) {
      last = null;
      continue;
    }
    if (!last || last[0] !== part[0][0] || last[1] !== part[0][1]) ctx.moveTo(...part[0]);
    ctx.lineTo(...part[1]);
    last = part[1];
  }
  ctx.stroke();
  ctx.restore();
}

/** A dot with a ring of paper around it, so that it stays visible on lines. */
export function dot(ctx, x, y, colour, paper, radius = 5) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.strokeStyle = paper;
  ctx.lineWidth = 2;
  ctx.fill();
  ctx.stroke();
}

/** A word beside a place, kept inside the box. */
export function label(ctx, box, text, x, y, colour, font) {
  ctx.font = `600 12px ${font}`;
  ctx.fillStyle = colour;
  const width = ctx.measureText(text).width;
  const fits = x + 8 + width < box.right;
  ctx.textAlign = fits ? "left" : "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, x + (fits ? 8 : -8), Math.max(box.top + 13, y - 5));
}

/** The queue: a bar a query. `bars` are {spend, ghost, wasted}. */
export function queue(ctx, width, height, colours, bars, chosen, top) {
  const floor = height - 12;
  const w = width / bars.length;
  const gap = w > 3 ? 1 : 0;
  const tall = (v) => Math.min(1, v / (top || 1)) * (floor - 4);
  bars.forEach(({ spend, ghost, wasted }, place) => {
    ctx.fillStyle = spend > 0 ? (wasted ? colours.waste : colours.accent) : colours.ghost;
    const h = Math.max(1, tall(spend > 0 ? spend : ghost));
    ctx.fillRect(place * w, floor - h, Math.max(0.7, w - gap), h);
  });
  ctx.fillStyle = colours.grid;
  ctx.fillRect(0, floor, width, 1);
  const x = (chosen + 0.5) * w;
  ctx.fillStyle = colours.text;
  ctx.beginPath();
  ctx.moveTo(x, floor + 2);
  ctx.lineTo(x - 6, height);
  ctx.lineTo(x + 6, height);
  ctx.closePath();
  ctx.fill();
  ctx.globalAlpha = 0.35;
  ctx.fillRect(x - 0.5, 0, 1, floor);
  ctx.globalAlpha = 1;
}
