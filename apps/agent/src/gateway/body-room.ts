/** Bytes of bodies that a gateway keeps at once, of all callers together. */
const MOST_BYTES = 268_435_456;

/** Room for bodies that are read whole before they go on: an agent has jobs to watch, and one caller must not take its memory. */
export class BodyRoom {
  #left: number;

  constructor(most = MOST_BYTES) {
    this.#left = most;
  }

  /** Takes `bytes`, to be given back; false when there is no such room. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives back what {@link take} took. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}
