// How the server is asked for a stream, and what is said when it cannot be had.

/** @import { Source } from "./types.js" */

const OUT_OF_REACH = "The server can't be reached. Is compecon still running? The last picture stays.";

/**
 * @param {Source} source
 * @param {string} client Who asks: the server drops older requests of the same.
 * @param {string} token The page's secret.
 * @param {AbortSignal} signal
 */
export async function ask({ url, body }, client, token, signal) {
  const headers = { "X-Compecon-Token": token };
  const options = body && {
    method: "POST",
    body: JSON.stringify({ ...body, client }),
    headers: { ...headers, "Content-Type": "application/json" },
  };
  const response = await fetch(url, { ...(options ?? { headers }), signal });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `The server answered ${response.status}. Is compecon still running?`);
}

/**
 * The error that a stream ends with.
 * @param {{ error: string, fits?: string, again?: boolean }} message
 */
export const failed = ({ error, fits, again }) => Object.assign(new Error(error), { fits, again });

/**
 * Whether a request was lost with the process that runs the models.
 * @param {unknown} error
 */
export const wasLost = (error) => error instanceof Error && "again" in error && Boolean(error.again);

/**
 * Why a request came to nothing.
 * @param {unknown} error
 */
export function sentenceOf(error) {
  if (error instanceof TypeError) return OUT_OF_REACH;
  return error instanceof Error ? error.message : String(error);
}

/**
 * What of a text that is too long could be read; "" if it was something else.
 * @param {unknown} error
 */
export const fitsOf = (error) => (error instanceof Error && "fits" in error && String(error.fits ?? "")) || "";
