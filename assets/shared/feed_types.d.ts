// How a feed asks, and who takes the answers. Types alone: browsers load nothing of it.

import type { Store } from "./store.js";
import type { Message } from "./types.js";

/**
 * "main" is for texts, layers and the size on the screen, "rest" for the one budget under a resting pointer, "next" for
 * a text that may be wanted next, "sizes" for the other sizes of a model, "time" for how long they take.
 */
export type Lane = "main" | "rest" | "next" | "sizes" | "time";

/** Who takes the messages of a request. */
export interface Listening {
  lane: Lane;
  /** Gets the store once its first frame is there. */
  adopt?(store: Store): void;
  /** Gets every later message. */
  each?(message: Message): void;
  /** Hear that it came to nothing, and that it is over unless it was ended for another one. */
  failed?(): void;
  ended?(): void;
  /** What has come of an answer that is not wanted yet. */
  held?: Message[] | null;
  /** What has come of one that is. */
  store?: Store;
  /** Whether the first request was lost with the process that runs the models. */
  isSecond?: boolean;
}
