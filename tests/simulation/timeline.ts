interface Entry {
  readonly at: number;
  readonly turn: number;
  readonly run: () => void;
}

/** What happens when, in milliseconds of true time; what is due at one moment happens in the order in which it was put in. */
export class Timeline {
  #now = 0;
  #turn = 0;
  readonly #heap: Entry[] = [];

  /** True time; no party of the simulation sees it. */
  get now(): number {
    return this.#now;
  }

  /** Puts `run` in, `delay` milliseconds from now. */
  after(delay: number, run: () => void): void {
    this.#turn += 1;
    const entry = { at: this.#now + Math.max(0, delay), turn: this.#turn, run };
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(entry, at(heap, parent))) break;
      heap[place] = at(heap, parent);
      place = parent;
    }
    heap[place] = entry;
  }

  /** Lets the next thing happen; false when there is nothing. */
  step(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return false;
    if (heap.length > 0) this.#sink(last);
    this.#now = first.at;
    first.run();
    return true;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(at(heap, child + 1), at(heap, child))) child += 1;
      if (!before(at(heap, child), entry)) break;
      heap[place] = at(heap, child);
      place = child;
    }
    heap[place] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}

function at(heap: readonly Entry[], place: number): Entry {
  const entry = heap[place];
  if (entry === undefined) throw new RangeError('no such place in the heap');
  return entry;
}
