// Reads the stream of messages that compecon/views/attention/frames.py writes. No DOM: tests import this file alone.

/** @import { Message } from "./types.js" */

const HALF = (() => {
  // float16 has 65,536 values: a table is the quickest decoder and works in every browser
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    table[bits] =
      exponent === 31
        ? fraction
          ? NaN
          : sign * Infinity
        : exponent
          ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
          : sign * 2 ** -14 * (fraction / 1024);
  }
  return table;
})();

/**
 * float16 bits to Float32Array.
 * @param {ArrayLike<number>} bits
 */
export function halves(bits) {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = HALF[bits[i]];
  return out;
}

/** @param {number} n */
const align = (n) => Math.ceil(n / 4) * 4;
const KINDS = { float16: Uint16Array, float32: Float32Array, uint8: Uint8Array };

/**
 * One message from a buffer that starts at its header length.
 * @param {ArrayBuffer} buffer
 * @returns {Message}
 */
export function message(buffer) {
  const view = new DataView(buffer);
  const headerLength = view.getUint32(0, true);
  /** @type {{ arrays: { name: string, dtype: keyof typeof KINDS, shape: number[] }[] }} */
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength)));
  let at = 4 + align(headerLength);
  /** @type {Record<string, ArrayBufferView>} */
  const arrays = {};
  for (const { name, dtype, shape } of header.arrays) {
    const count = shape.reduce((a, b) => a * b, 1);
    const array = new KINDS[dtype](buffer, at, count);
    arrays[name] = Object.assign(array, { shape });
    at = align(at + array.byteLength);
  }
  return /** @type {any} */ ({ ...header, arrays }); // what the server wrote is as it says
}

/** Splits chunks of bytes, cut anywhere, into messages. */
export class Splitter {
  constructor() {
    this.rest = new Uint8Array(0);
  }

  /** @param {Uint8Array} chunk */
  push(chunk) {
    const all = new Uint8Array(this.rest.length + chunk.length);
    all.set(this.rest);
    all.set(chunk, this.rest.length);
    const out = [];
    let at = 0;
    while (all.length - at >= 4) {
      const length = new DataView(all.buffer, at, 4).getUint32(0, true);
      if (all.length - at < 4 + length) break;
      out.push(message(all.slice(at + 4, at + 4 + length).buffer)); // slice: arrays need an aligned start
      at += 4 + length;
    }
    this.rest = all.slice(at);
    return out;
  }
}

/**
 * Calls `receive` for each message of a response, as they come.
 * @param {Response} response
 * @param {(message: Message) => void} receive
 */
export async function stream(response, receive) {
  if (!response.body) return;
  const reader = response.body.getReader();
  const splitter = new Splitter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const one of splitter.push(value)) receive(one);
  }
}
