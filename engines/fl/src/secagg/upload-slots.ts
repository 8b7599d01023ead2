import { FlError } from '../fl-error.ts';
import { malformed } from './byte-reader.ts';
import { CHUNK_BYTES } from './round.ts';

/** What a client at `place` may send next. */
export interface UploadGrant {
  readonly place: number;
  readonly from: number;
  readonly count: number;
}

interface Slot {
  readonly bytes: Uint8Array;
  next: number;
  /** The chunk before which the last grant ends. */
  granted: number;
  moved: boolean;
}

/** Bytes of uploads that are held at a time, beside the sum: a vector goes into it only when it is whole. */
const HELD_BYTES = 64 * 2 ** 20;
const MOST_SLOTS = 64;
/** Whole vectors that go into the sum at once, which is faster than one by one; large ones do not wait for each other. */
const ADDED_AT_ONCE = 4;
/** Chunks of one grant. */
const WINDOW = 8;

/** Uploads under way: few at a time, so that memory does not grow with the clients; the others wait in line. */
export class UploadSlots {
  readonly #vectorBytes: number;
  readonly #chunks: number;
  readonly #most: number;
  readonly #addedAtOnce: number;
  readonly #slots = new Map<number, Slot>();
  readonly #waiting = new Set<number>();
  readonly #spare: Uint8Array[] = [];
  readonly #whole: Uint8Array[] = [];

  constructor(vectorBytes: number) {
    this.#vectorBytes = vectorBytes;
    this.#chunks = Math.ceil(vectorBytes / CHUNK_BYTES);
    const fitting = Math.floor(HELD_BYTES / vectorBytes);
    this.#addedAtOnce = fitting >= 2 * ADDED_AT_ONCE ? ADDED_AT_ONCE : 1;
    // All but the last of those are held beside the uploads under way.
    this.#most = Math.max(1, Math.min(MOST_SLOTS, fitting - (this.#addedAtOnce - 1)));
  }

  /** A client has its vector ready, or its link is up again: what it may send, nothing while it waits in line. */
  ready(place: number): UploadGrant[] {
    const slot = this.#slots.get(place);
    if (slot !== undefined) return [this.#grant(place, slot)];
    this.#waiting.add(place);
    return this.#admit();
  }

  /** What a client was last told, from where it has got to since: its link is up again. */
  repeat(place: number): UploadGrant[] {
    const slot = this.#slots.get(place);
    return slot === undefined ? [] : [this.#grant(place, slot)];
  }

  /** Takes a chunk; the whole vector once it is there (valid until its place is freed by {@link drop}, or it was added after {@link finish}), or what its client may send next. Throws FlError `oversized-vector` or `malformed-frame`. */
  take(place: number, index: number, bytes: Uint8Array): { whole?: Uint8Array; grants: UploadGrant[] } {
    if (index >= this.#chunks || bytes.length > CHUNK_BYTES)
      throw new FlError('oversized-vector', 'a client sends more than a vector of this round has');
    const slot = this.#slots.get(place);
    // Sent twice, or after a place was lost: it is asked for again.
    if (slot === undefined || index !== slot.next) return { grants: [] };
    const at = index * CHUNK_BYTES;
    const expected = Math.min(CHUNK_BYTES, this.#vectorBytes - at);
    if (bytes.length > expected)
      throw new FlError('oversized-vector', 'a client sends more than a vector of this round has');
    if (bytes.length < expected) throw malformed();
    slot.bytes.set(bytes, at);
    slot.next += 1;
    slot.moved = true;
    if (slot.next === this.#chunks) return { whole: slot.bytes, grants: [] };
    return { grants: slot.next === slot.granted ? [this.#grant(place, slot)] : [] };
  }

  /** Frees the place of a client that is done or gone; who may send instead. */
  drop(place: number): UploadGrant[] {
    this.#waiting.delete(place);
    const slot = this.#slots.get(place);
    if (slot === undefined) return [];
    this.#slots.delete(place);
    this.#spare.push(slot.bytes);
    return this.#admit();
  }

  /** A vector that is whole leaves its place for `add`, which gets it with as many others as are added at once; who may send instead. */
  finish(place: number, add: (vectors: readonly Uint8Array[]) => void): UploadGrant[] {
    const slot = this.#slots.get(place);
    if (slot === undefined) return [];
    this.#slots.delete(place);
    this.#whole.push(slot.bytes);
    // Before the next in line gets memory: it is to be that of these.
    if (this.#whole.length >= this.#addedAtOnce) this.addHeld(add);
    return this.#admit();
  }

  /** Hands the whole vectors that still wait for others to `add`. */
  addHeld(add: (vectors: readonly Uint8Array[]) => void): void {
    if (this.#whole.length === 0) return;
    add(this.#whole);
    this.#spare.push(...this.#whole.splice(0));
  }

  /** Those who sent nothing since the last call go to the end of the line, if there is one. */
  dropStalled(): UploadGrant[] {
    const grants: UploadGrant[] = [];
    for (const [place, slot] of this.#slots) {
      if (slot.moved || this.#waiting.size === 0) {
        slot.moved = false;
        continue;
      }
      grants.push(...this.drop(place));
      this.#waiting.add(place);
    }
    return grants;
  }

  #admit(): UploadGrant[] {
    const grants: UploadGrant[] = [];
    for (const place of this.#waiting) {
      if (this.#slots.size >= this.#most) break;
      this.#waiting.delete(place);
      const bytes = this.#spare.pop() ?? new Uint8Array(this.#vectorBytes);
      const slot = { bytes, next: 0, granted: 0, moved: true };
      this.#slots.set(place, slot);
      grants.push(this.#grant(place, slot));
    }
    return grants;
  }

  #grant(place: number, slot: Slot): UploadGrant {
    const count = Math.min(WINDOW, this.#chunks - slot.next);
    slot.granted = slot.next + count;
    return { place, from: slot.next, count };
  }
}
