import { inspect } from 'node:util';

/**
 * Secret bytes that no log, JSON or string conversion prints. `using` wipes them at the end of a scope. JavaScript
 * cannot promise erasure: the collector may have moved a copy.
 */
export class Secret implements Disposable {
  readonly #bytes: Uint8Array;
  #wiped = false;

  /** Takes ownership of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The bytes themselves; the caller keeps no copy beyond its scope. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  /** Whether its scope has ended: what was made of it is not to be used any more. */
  get wiped(): boolean {
    return this.#wiped;
  }

  get length(): number {
    return this.#bytes.length;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }

  [Symbol.dispose](): void {
    this.#bytes.fill(0);
    this.#wiped = true;
  }
}
