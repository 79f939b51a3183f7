// Pictures of the Allocation page as files, with where their numbers come from.

import { exportFigure } from "../shared/export.js";
import { clear } from "../shared/marks.js";
import { NAMES, PICTURES, rows } from "./pictures.js";

/** @import { Format, Sheet, Size } from "../shared/types.js" */
/** @import { PictureName } from "./pictures.js" */
/** @import { Shown } from "./types.js" */

/**
 * @param {string} name Of a picture, or "budgets" for the numbers of all stops.
 * @param {Format} format
 * @param {Shown} shown
 * @param {Partial<Record<PictureName, Size>>} sizes
 */
export function saveFigure(name, format, shown, sizes) {
  const { data, table, now, view, colours } = shown;
  const picture = NAMES.find((one) => one === name);
  /** @type {(ctx: Sheet, width: number, height: number) => void} */
  const draw = (ctx, width, height) => {
    clear(ctx, width, height, { ...colours, paper: true });
    if (picture) PICTURES[picture](ctx, width, height, shown);
  };
  const provenance = {
    figure: name,
    ...data.provenance,
    unit: table.unit,
    worth: data.worth,
    budget: now.budget,
    price: now.price,
    clearing_price: now.clearing,
    value: now.value,
    bound: now.bound,
    query: table.queries[view.query],
    url: window.location.href,
  };
  const { width, height } = (picture && sizes[picture]) ?? { width: 0, height: 0 };
  const figure = { name: `compecon-${name}`, draw, rows: () => rows(name, shown), width, height, provenance };
  exportFigure(format, { ...figure, captions: [], colours });
}
