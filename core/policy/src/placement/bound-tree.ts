import {
  AWAY,
  CPU,
  DISK,
  DISK_FULL,
  FLAGS,
  ID_ORDER,
  MEMORY,
  PRESENT,
  PRICE,
  ROW,
  SCORED,
  SHARE,
  WHOLE,
  cell,
} from './offer-row-layout.ts';
import { MOST_GPU_KINDS } from './placement-offer.ts';

/** How many rows or nodes lie below one node. */
export const FAN_OUT = 8;

/** Places within a node of the tree: the most that is free below it, and the least of everything that scores. */
export const MOST_CPU = 0;
export const MOST_MEMORY = 1;
export const MOST_DISK = 2;
export const MOST_WHOLE = 3;
export const MOST_SHARE = 4;
/** The first of the cells that make a score, in the order of rows. */
export const LEAST_PRICE = 5;
export const LEAST_ID = LEAST_PRICE + SCORED;
export const NODE = LEAST_ID + 1;

const EMPTY = [-1, -1, -1, -1, -1, Infinity, Infinity, Infinity, Infinity, Infinity];

/** Bounds over the rows of one class, level by level: level 0 over rows, the last level one node over all. */
export class BoundTree {
  readonly levels: Float64Array[] = [];

  /** Builds all levels over `count` rows. */
  build(rows: Float64Array, count: number): void {
    this.levels.length = 0;
    let width = count;
    do {
      width = Math.max(1, Math.ceil(width / FAN_OUT));
      this.levels.push(new Float64Array(width * NODE));
    } while (width > 1);
    for (const [level, nodes] of this.levels.entries()) {
      for (let node = 0; node * NODE < nodes.length; node += 1) this.#sum(rows, count, level, node);
    }
  }

  /** Brings the bounds above row `slot` up to date; `count` rows as when it was built. */
  update(rows: Float64Array, count: number, slot: number): void {
    let node = slot;
    for (let level = 0; level < this.levels.length; level += 1) {
      node = Math.floor(node / FAN_OUT);
      this.#sum(rows, count, level, node);
    }
  }

  /** The node over everything. */
  get root(): Float64Array {
    return this.levels[this.levels.length - 1] ?? new Float64Array(EMPTY);
  }

  #sum(rows: Float64Array, count: number, level: number, node: number): void {
    const nodes = this.levels[level];
    if (nodes === undefined) return;
    const start = node * NODE;
    nodes.set(EMPTY, start);
    const below = level === 0 ? undefined : this.levels[level - 1];
    const first = node * FAN_OUT;
    if (below === undefined) {
      const end = Math.min(count, first + FAN_OUT);
      for (let slot = first; slot < end; slot += 1) addRow(nodes, start, rows, slot * ROW);
      return;
    }
    const end = Math.min(below.length / NODE, first + FAN_OUT);
    for (let child = first; child < end; child += 1) addNode(nodes, start, below, child * NODE);
  }
}

function addRow(nodes: Float64Array, start: number, rows: Float64Array, row: number): void {
  const flags = cell(rows, row + FLAGS);
  if ((flags & PRESENT) === 0) return;
  for (let place = 0; place < SCORED; place += 1) {
    least(nodes, start + LEAST_PRICE + place, cell(rows, row + PRICE + place));
  }
  least(nodes, start + LEAST_ID, cell(rows, row + ID_ORDER));
  if ((flags & AWAY) !== 0) return;
  most(nodes, start + MOST_CPU, cell(rows, row + CPU));
  most(nodes, start + MOST_MEMORY, cell(rows, row + MEMORY));
  if ((flags & DISK_FULL) === 0) most(nodes, start + MOST_DISK, cell(rows, row + DISK));
  for (let kind = 0; kind < MOST_GPU_KINDS; kind += 1) {
    most(nodes, start + MOST_WHOLE, cell(rows, row + WHOLE + kind));
    most(nodes, start + MOST_SHARE, cell(rows, row + SHARE + kind));
  }
}

function addNode(nodes: Float64Array, start: number, below: Float64Array, child: number): void {
  for (let place = MOST_CPU; place <= MOST_SHARE; place += 1) most(nodes, start + place, cell(below, child + place));
  for (let place = LEAST_PRICE; place < NODE; place += 1) least(nodes, start + place, cell(below, child + place));
}

function most(nodes: Float64Array, place: number, value: number): void {
  if (value > cell(nodes, place)) nodes[place] = value;
}

function least(nodes: Float64Array, place: number, value: number): void {
  if (value < cell(nodes, place)) nodes[place] = value;
}
