// What the measuring scripts leave in the page for Python to read. Types alone.

/** A step of a drag, in milliseconds. */
export interface Move {
  /** Where it happened. */
  target: EventTarget | undefined;
  /** From the pointer's own time stamp to the end of the frame that shows it. */
  total: number;
  /** Until the page was given the event. */
  wait: number;
  /** In the page's handlers. */
  handler: number;
  /** Whether several moves waited for one frame. */
  merged: boolean;
}

export interface Frames {
  /** When the next frame is made: the time once style, layout and paint are done. */
  painted(): Promise<number>;
  /** Calls `record` for each step of a drag, with what `before` gave back when the step began. */
  drags<T>(before: () => T, record: (move: Move, before: T) => void): void;
  /** Begins to note when frames are made. */
  watch(): void;
  /** Ends it: how many frames were made since, and how many were left out between them. */
  watched(): [made: number, dropped: number];
  /** Milliseconds of a fixed loop: compares browsers and busy moments. */
  calibrate(): number;
}

export interface Bench extends Frames {
  messages: { kind: string; k: number | null; grid: number[] | null; bytes: number; at: number }[];
  requests: number[];
  addressed: number[];
  sent: number[];
  moves: object[];
  texts: { start: number; shown: number }[];
  shown: number | null;
  canvas(): HTMLElement | null;
  hasPicture(): boolean;
  addFloor(): void;
}

declare global {
  interface Window {
    compeconFrames: Frames;
    compeconBench: Bench;
    marketBench: { moves: object[] };
    frontierBench: {
      moves: object[];
      told: number;
      drawn: number | null;
      loaded?: number;
      plotted?: number;
      calibrate(): number;
    };
  }
}
