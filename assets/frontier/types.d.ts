// What the Frontier page is asked to show, and the part of Plotly that it stands on. Types alone.

export interface FrontierView {
  /** Key budget of the bar; 0 for all keys. */
  keys: number;
  /** Families that are not drawn. */
  hidden: string[];
  /** Whether dominated points are drawn. */
  dominated: boolean;
  /** Key of the chosen point, or "". */
  chosen: string;
}

export interface Limit {
  axis: "x" | "y";
  value: number;
  text: string;
}

export interface Answer {
  question: string;
  /** Whether anything is within the limit. */
  fits: boolean;
  first: string;
  more: string;
}

export interface FrontierData {
  /** Address of Plotly's script. */
  plotly: string;
  /** Plotly's figure as JSON, in the colours of light paper. */
  figure: string;
  /** What the axes are: another scope is another plot. */
  scope: string;
  colours: { light: string[]; dark: string[] };
  /** Stops of the bar; null is all keys. */
  budgets: (number | null)[];
  /** How many checkpoints were measured at each stop. */
  measured: number[];
  /** By key of a point: whether it opens in Attention, and beside its dense parent. */
  doors: Record<string, [attention: boolean, compare: boolean]>;
  /** By key of a smaller size of an elastic checkpoint: the command that makes it a checkpoint of its own. */
  commands: Record<string, string>;
  /** What to take within the limit that was asked for; null if nothing was asked. */
  answer: Answer | null;
  /** Key of the point that the answer names, or "", and what it is: to be taken, or nearest to what was asked for. */
  advised: { key: string; role: string };
  limit: Limit | null;
  view: FrontierView;
  told: string;
  file: string;
}

/** A point of the plot. */
export interface Plotted {
  x: number;
  y: number;
  family: string;
  part: string;
  hover: string;
}

/** A mark at the key budget, in pixels and on the axes. */
export interface Mark {
  key: string;
  symbol: string;
  colour: string;
  x: number;
  y: number;
  at: [x: number, y: number];
}

// ---- Plotly

export interface Meta {
  family: string;
  part: string;
  /** Of curves: the points they belong to, how many stops each has, and the symbol of the family. */
  keys?: string[];
  stops?: number;
  symbol?: string;
}

export interface Trace {
  meta: Meta;
  x: (number | null)[];
  y: (number | null)[];
  customdata?: [key: string][];
  hovertext?: string[];
  visible?: boolean | "legendonly";
}

export interface Layout {
  legend: object;
  margin: object;
  [setting: string]: unknown;
}

export interface Axis {
  _offset: number;
  _length: number;
  range: [number, number];
  autorange: boolean;
  d2p(value: number): number;
}

export interface PlotPoint {
  customdata?: [key: string];
}

export interface PlotEvents {
  plotly_afterplot: undefined;
  plotly_relayouting: undefined;
  plotly_deselect: undefined;
  plotly_click: { points: PlotPoint[] };
  plotly_selected: { points: PlotPoint[] } | undefined;
  plotly_legendclick: { data: Trace[]; curveNumber: number };
  plotly_legenddoubleclick: { data: Trace[]; curveNumber: number };
}

/** An element that Plotly has drawn into. */
export interface PlotElement extends HTMLElement {
  data: Trace[];
  layout: Layout;
  _fullLayout?: { width: number; height: number; xaxis?: Axis; yaxis?: Axis };
  _fullData: { meta?: Meta; visible: boolean | "legendonly"; index: number; line: { color: string } }[];
  /** A handler that gives back false keeps Plotly from doing what it would do. */
  on<Name extends keyof PlotEvents>(name: Name, handler: (event: PlotEvents[Name]) => unknown): void;
}

export interface PlotlyLibrary {
  react(element: HTMLElement, data: Trace[], layout: object, config: object): Promise<unknown>;
  restyle(element: HTMLElement, change: object): void;
  relayout(element: HTMLElement, change: object): void;
  purge(element: HTMLElement): void;
  toImage(figure: { data: object[]; layout: object }, options: object): Promise<string>;
  Fx: { unhover(element: HTMLElement): void };
}

declare global {
  interface Window {
    Plotly?: PlotlyLibrary;
  }
}
