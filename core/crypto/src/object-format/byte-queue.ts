/** Bytes that arrive in pieces of any size and leave in pieces of the size that is asked for, without being copied. */
export class ByteQueue {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;
  /** Index of the first piece that has not left; the array is cut only now and then. */
  #first = 0;

  /** How many bytes wait. */
  get length(): number {
    return this.#length;
  }

  /** Takes bytes over; the caller must not change them afterwards. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** The next `length` bytes as pieces in order; there must be as many. */
  take(length: number): Uint8Array[] {
    if (length > this.#length) throw new RangeError('not so many bytes wait');
    const taken: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const piece = this.#pieces[this.#first];
      if (piece === undefined) break;
      const part = piece.length <= missing ? piece : piece.subarray(0, missing);
      taken.push(part);
      missing -= part.length;
      if (part === piece) this.#first += 1;
      else this.#pieces[this.#first] = piece.subarray(part.length);
    }
    this.#length -= length;
    this.#forgetTaken();
    return taken;
  }

  #forgetTaken(): void {
    if (this.#first < 64 && this.#first < this.#pieces.length) return;
    this.#pieces.splice(0, this.#first);
    this.#first = 0;
  }
}
