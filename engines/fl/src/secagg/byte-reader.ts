import { FlError } from '../fl-error.ts';

/** Reads fields of fixed length from bytes that a peer sent; every method throws FlError `malformed-frame` where they end too early. Results are views. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** One byte. */
  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  /** A big-endian 16-bit number. */
  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  /** A big-endian 32-bit number. */
  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** The next `length` bytes. */
  bytes(length: number): Uint8Array {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** Whatever is left. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** Things read one after the other until the bytes end. */
  all<T>(read: (reader: ByteReader) => T): T[] {
    const found: T[] = [];
    while (this.#at < this.#bytes.length) found.push(read(this));
    return found;
  }

  /** Throws FlError `malformed-frame` unless everything was read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed();
  }

  #take(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw malformed();
    this.#at += length;
    return from;
  }
}

/** The error for bytes that no honest party writes. */
export function malformed(): FlError {
  return new FlError('malformed-frame', 'a frame is not what the protocol describes');
}

/** `value` as big-endian bytes. */
export function bigEndian(value: number, bytes: 1 | 2 | 4): Uint8Array {
  const made = Buffer.alloc(bytes);
  made.writeUIntBE(value, 0, bytes);
  return made;
}
