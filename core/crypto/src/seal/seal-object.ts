import { createCipheriv } from 'node:crypto';
import type { Rng } from '@ringfence/base';
import { Sha256, type Digest } from '../digest.ts';
import { ByteQueue } from '../object-format/byte-queue.ts';
import type { DataKey } from '../object-format/data-key.ts';
import { DEFAULT_SEGMENT_LOG2, SALT_BYTES, writeHeader } from '../object-format/header.ts';
import type { ObjectIdentity } from '../object-format/object-identity.ts';
import { SEGMENT_CIPHER, segmentKey, segmentNonce, type SegmentKey } from '../object-format/segment-key.ts';

/** What an object is sealed with. */
export interface SealObjectOptions {
  readonly dataKey: DataKey;
  readonly identity: ObjectIdentity;
  /** Draws the salt. */
  readonly rng: Rng;
  /** Plaintext bytes of a segment as a power of two, 12 to 24; 18 unless told. */
  readonly segmentLog2?: number;
}

/** What came out of sealing: the SHA-256 of the sealed bytes, and both sizes in bytes. */
export interface SealedObject {
  readonly digest: Digest;
  readonly size: number;
  readonly plaintextSize: number;
}

/**
 * Seals a stream (docs/object-format.md). Yields the sealed bytes in order and returns {@link SealedObject}. Holds one
 * segment; a piece of `plaintext` must not change once it was given. Throws CryptoError `limit-reached` beyond 2^32
 * segments.
 */
export async function* sealObject(
  options: SealObjectOptions,
  plaintext: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, SealedObject, void> {
  const sealer = new ObjectSealer(options);
  yield* sealer.start();
  for await (const piece of plaintext) yield* sealer.take(piece);
  yield* sealer.end();
  return sealer.result();
}

/** Seals bytes that are in memory; as {@link sealObject}. */
export function sealObjectBytes(
  options: SealObjectOptions,
  plaintext: Uint8Array,
): SealedObject & { readonly bytes: Uint8Array } {
  const sealer = new ObjectSealer(options);
  const bytes = Buffer.concat([...sealer.start(), ...sealer.take(plaintext), ...sealer.end()]);
  return { ...sealer.result(), bytes };
}

class ObjectSealer {
  readonly #header: Uint8Array;
  readonly #key: SegmentKey;
  readonly #segmentBytes: number;
  readonly #waiting = new ByteQueue();
  readonly #hash = new Sha256();
  #segments = 0;
  #size = 0;
  #plaintextSize = 0;

  constructor({ dataKey, identity, rng, segmentLog2 = DEFAULT_SEGMENT_LOG2 }: SealObjectOptions) {
    const salt = rng.bytes(SALT_BYTES);
    this.#header = writeHeader({ segmentLog2, salt });
    this.#key = segmentKey({ dataKey, identity, header: this.#header, salt });
    this.#segmentBytes = 2 ** segmentLog2;
  }

  *start(): Generator<Uint8Array, void, void> {
    yield this.#out(this.#header);
  }

  /** A segment is sealed only once a byte behind it is there: its nonce says whether it is the last. */
  *take(piece: Uint8Array): Generator<Uint8Array, void, void> {
    this.#waiting.push(piece);
    while (this.#waiting.length > this.#segmentBytes) yield* this.#segment(this.#segmentBytes, false);
  }

  *end(): Generator<Uint8Array, void, void> {
    yield* this.#segment(this.#waiting.length, true);
  }

  result(): SealedObject {
    return { digest: this.#hash.hex(), size: this.#size, plaintextSize: this.#plaintextSize };
  }

  *#segment(length: number, last: boolean): Generator<Uint8Array, void, void> {
    const nonce = segmentNonce(this.#segments, last);
    const cipher = createCipheriv(SEGMENT_CIPHER, this.#key.key, nonce).setAAD(this.#key.aad);
    for (const piece of this.#waiting.take(length)) yield this.#out(cipher.update(piece));
    cipher.final();
    yield this.#out(cipher.getAuthTag());
    this.#segments += 1;
    this.#plaintextSize += length;
  }

  #out(bytes: Uint8Array): Uint8Array {
    this.#hash.update(bytes);
    this.#size += bytes.length;
    return bytes;
  }
}
