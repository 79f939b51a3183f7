// Drawings of the Allocation page on plain canvases. Nothing is computed here but places on the screen.

/** Numbers as people write them: four digits, thousands apart. */
export const number = (x, digits = 4) => (x === null || !Number.isFinite(x) ? "none" : x !== 0 && (Math.abs(x) < 1e-6 || Math.abs(x) >= 1e9) ? x.toExponential(2).replace("e", "·10^").replace("+", "")
  : x.toLocaleString("en", { maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(Math.abs(x) + 1))) }));

/** A context in CSS pixels, cleared. */
export function sheet(canvas) {
  const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const ctx = canvas.getContext("2d");
  ctx.scale(scale, scale);
  return { ctx, width, height };
}

function ticks(top, n = 4) {
  if (!(top > 0)) return [0];
  const raw = top / n, power = 10 ** Math.floor(Math.log10(raw)), step = power * [1, 2, 5, 10].find((m) => m * power >= raw);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** Axes with a grid; gives back how numbers become places. */
export function axes({ ctx, width, height }, colours, { right, top, xTitle, yTitle }) {
  const box = { left: 58, right: width - 10, top: 20, bottom: height - 34 };
  const x = (v) => box.left + (v / (right || 1)) * (box.right - box.left), y = (v) => box.bottom - (v / (top || 1)) * (box.bottom - box.top);
  ctx.font = `11px ${colours.font}`;
  ctx.strokeStyle = colours.grid;
  ctx.fillStyle = colours.muted;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const tick of ticks(right, width < 420 ? 3 : 5)) {
    ctx.moveTo(x(tick), box.top); ctx.lineTo(x(tick), box.bottom);
    ctx.textAlign = "center"; ctx.textBaseline = "top"; ctx.fillText(number(tick, 3), x(tick), box.bottom + 5);
  }
  for (const tick of ticks(top)) {
    ctx.moveTo(box.left, y(tick)); ctx.lineTo(box.right, y(tick));
    ctx.textAlign = "right"; ctx.textBaseline = "middle"; ctx.fillText(number(tick, 3), box.left - 6, y(tick));
  }
  ctx.stroke();
  ctx.textAlign = "right"; ctx.textBaseline = "bottom"; ctx.fillText(xTitle, box.right, height - 1);
  ctx.textAlign = "left"; ctx.textBaseline = "top"; ctx.fillText(yTitle, 4, 2);
  return { box, x, y };
}

/** A line through points, cut off at the box. */
export function line(ctx, box, points, { colour, width = 2, dash = [], alpha = 1 }) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  ctx.clip();
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
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
  const width = ctx.measureText(text).width, fits = x + 8 + width < box.right;
  ctx.textAlign = fits ? "left" : "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, x + (fits ? 8 : -8), Math.max(box.top + 13, y - 5));
}

/** The queue: a bar a query. `bars` are {spend, ghost, wasted}. */
export function queue(canvas, colours, bars, chosen, top) {
  const paper = sheet(canvas), { ctx, width, height } = paper, floor = height - 12, w = width / bars.length;
  const tall = (v) => Math.min(1, v / (top || 1)) * (floor - 4);
  bars.forEach(({ spend, ghost, wasted }, place) => {
    const x = place * w, gap = w > 3 ? 1 : 0;
    ctx.fillStyle = spend > 0 ? (wasted ? colours.waste : colours.accent) : colours.ghost;
    const h = Math.max(1, tall(spend > 0 ? spend : ghost));
    ctx.fillRect(x, floor - h, Math.max(0.7, w - gap), h);
  });
  ctx.fillStyle = colours.grid;
  ctx.fillRect(0, floor, width, 1);
  const x = (chosen + 0.5) * w;
  ctx.fillStyle = colours.text;
  ctx.beginPath();
  ctx.moveTo(x, floor + 2); ctx.lineTo(x - 6, height); ctx.lineTo(x + 6, height);
  ctx.fill();
  ctx.globalAlpha = 0.35;
  ctx.fillRect(x - 0.5, 0, 1, floor);
  ctx.globalAlpha = 1;
}
