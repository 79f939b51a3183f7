// Marks on a plain canvas, as Plotly draws them: one path a symbol, around a place.

const corners = (n, turn = 0) =>
  Array.from({ length: n }, (_, i) => [
    Math.sin((2 * Math.PI * i) / n + turn),
    -Math.cos((2 * Math.PI * i) / n + turn),
  ]);
const POLYGONS = {
  square: [
    [-0.85, -0.85],
    [0.85, -0.85],
    [0.85, 0.85],
    [-0.85, 0.85],
  ],
  "triangle-up": corners(3),
  "triangle-down": corners(3, Math.PI),
  "triangle-left": corners(3, -Math.PI / 2),
  pentagon: corners(5),
  hexagon: corners(6),
  star: corners(10).map(([x, y], i) => (i % 2 ? [0.45 * x, 0.45 * y] : [x, y])),
  diamond: corners(4),
};

/** Adds a symbol to the present path of a context. */
function trace(ctx, symbol, x, y, radius) {
  const polygon = POLYGONS[symbol.replace(/-(open|dot)$/, "")];
  if (!polygon) {
    ctx.moveTo(x + radius, y);
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  polygon.forEach(([dx, dy], i) =>
    i
      ? ctx.lineTo(x + 1.15 * radius * dx, y + 1.15 * radius * dy)
      : ctx.moveTo(x + 1.15 * radius * dx, y + 1.15 * radius * dy),
  );
  ctx.closePath();
}

const stamps = new Map();
/** A mark as a small picture, made once: a thousand of them are copied faster than their paths are filled. */
export function stamp(symbol, colour, edge, radius) {
  const scale = window.devicePixelRatio || 1;
  const name = `${symbol} ${colour} ${edge} ${radius} ${scale}`;
  if (!stamps.has(name)) {
    const size = Math.ceil(2.4 * radius) + 4;
    const image = Object.assign(document.createElement("canvas"), {
      width: Math.ceil(size * scale),
      height: Math.ceil(size * scale),
    });
    const ctx = image.getContext("2d");
    ctx.scale(image.width / size, image.height / size);
    trace(ctx, symbol, size / 2, size / 2, radius);
    Object.assign(ctx, { fillStyle: colour, strokeStyle: edge, lineWidth: 1 });
    ctx.fill();
    ctx.stroke();
    stamps.set(name, { image, size });
  }
  return stamps.get(name);
}

/** A context in CSS pixels, cleared; the canvas is only made anew when its size has changed. */
export function sheet(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

/** A word beside a place, on a patch of paper, kept inside the box. */
export function label(ctx, box, text, x, y, colours) {
  ctx.font = `600 12px ${colours.font}`;
  const width = ctx.measureText(text).width;
  const left = Math.max(box.left + 4, x + 12 + width < box.right ? x + 12 : x - 12 - width);
  const top = Math.min(box.bottom - 18, Math.max(box.top + 2, y - 24));
  ctx.fillStyle = colours.background;
  ctx.globalAlpha = 0.85;
  ctx.fillRect(left - 4, top, width + 8, 17);
  ctx.globalAlpha = 1;
  ctx.fillStyle = colours.text;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, left, top + 9);
}
