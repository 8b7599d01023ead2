import type { World } from './world.ts';

/** A term is taken over after six seconds of silence, which are looked at every other one; the rest is for a process that comes up. */
const PLACED_AGAIN_MS = 12_000;

/** Keeps who placed in which term, and since when somebody could. */
export class TermWatch {
  readonly #world: World;
  readonly #fail: (what: string) => never;
  readonly #placed = new Map<number, string>();
  #newest = 0;
  #held: { readonly replica: string; readonly since: number } | undefined;
  #runs: number | undefined;

  constructor(world: World, fail: (what: string) => never) {
    this.#world = world;
    this.#fail = fail;
  }

  /** Since when the replica that places has done so without a pause; infinite while there is none. */
  get placesSince(): number {
    return this.#held?.since ?? Infinity;
  }

  turn({ replica, term = 0 }: { readonly replica: string; readonly term: number | undefined }): void {
    if (term < this.#newest) this.#fail(`${replica} places in term ${term}, after one in term ${this.#newest}`);
    const other = this.#placed.get(term) ?? replica;
    if (other !== replica) this.#fail(`two replicas place in term ${term}`);
    if (term > this.#newest) this.#world.watch.count('terms');
    this.#newest = term;
    this.#placed.set(term, replica);
  }

  afterEvent(): void {
    const { timeline, replicas, books } = this.#world;
    const running = replicas.running;
    const holder = running.find(({ name, term }) => name === books.term.holder && term === books.term.term);
    if (holder === undefined) this.#held = undefined;
    else if (this.#held?.replica !== holder.name) this.#held = { replica: holder.name, since: timeline.now };
    if (running.length === 0) this.#runs = undefined;
    else this.#runs ??= timeline.now;
    // Whoever was down or away begins to look anew.
    if (holder !== undefined) this.#runs = timeline.now;
    if (this.#runs !== undefined && timeline.now - this.#runs > PLACED_AGAIN_MS)
      this.#fail('a replica is there, and nobody places');
  }
}
