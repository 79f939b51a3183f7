// The budget bar: its stops, the marks below it, and the badge that says how a picture at a budget is known.

import { write } from "./panels.js";

/** Index of the stop at or just below k. */
export function stopOf(stops, k) {
  let i = 0;
  while (i + 1 < stops.length && stops[i + 1] <= k) i++;
  return i;
}

/** Marks the stops that have been computed: there the picture is exact. */
export function drawTicks(canvas, width, stops, isExact, colour) {
  const thumb = 8;
  const context = canvas.getContext("2d");
  canvas.width = width;
  context.fillStyle = colour;
  stops.forEach((k, i) => {
    if (isExact(k))
      context.fillRect(thumb + ((width - 2 * thumb) * i) / Math.max(1, stops.length - 1) - 0.75, 0, 1.5, 5);
  });
}

/** How a feed knows what it shows at a budget: [kind, text, title]. */
export function badgeOf({ store, lanes, isStale, spec }, k) {
  if (!store)
    return lanes.main
      ? ["busy", "loading …", "The first picture is on its way."]
      : ["busy", "no picture yet", "Nothing could be computed so far."];
  if (isStale) return ["busy", "computing … last picture stays", `Waiting for ${spec.title ?? "the new text"}.`];
  if (store.isExact(k)) {
    if (store.provenanceOf(k) === "recorded")
      return ["recorded", "recorded · exact", `Recorded earlier from real forward passes of ${store.open.checkpoint}.`];
    return [
      "exact",
      `exact · ${store.open.device}`,
      "From a real forward pass at this budget: later layers saw what earlier layers were left with.",
    ];
  }
  if (store.isMasked)
    return [
      "preview",
      "preview",
      "Recorded attention with a mask over it: later layers are not recomputed. The exact pass is on its way.",
    ];
  return [
    "preview",
    `preview · nearest computed k = ${store.nearest(k)}`,
    "This policy can't be previewed: the nearest budget computed so far is shown.",
  ];
}

export function showBadge(badge, [kind, text, title]) {
  if (badge.dataset.kind !== kind) badge.dataset.kind = kind;
  write(badge, text);
  if (badge.title !== title) badge.title = title;
}
