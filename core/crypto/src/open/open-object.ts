import { createDecipheriv } from 'node:crypto';
import { concatBytes } from '@ringfence/base';
import { cannotOpen } from '../crypto-error.ts';
import { Sha256, type Digest } from '../digest.ts';
import { ByteQueue } from '../object-format/byte-queue.ts';
import type { DataKey } from '../object-format/data-key.ts';
import { HEADER_BYTES, readHeader } from '../object-format/header.ts';
import type { ObjectIdentity } from '../object-format/object-identity.ts';
import { SEGMENT_CIPHER, segmentKey, segmentNonce, TAG_BYTES, type SegmentKey } from '../object-format/segment-key.ts';

/** What an object is opened with. */
export interface OpenObjectOptions {
  readonly dataKey: DataKey;
  readonly identity: ObjectIdentity;
}

/** What was opened: the SHA-256 of the sealed bytes, and both sizes in bytes. */
export interface OpenedObject {
  readonly digest: Digest;
  readonly size: number;
  readonly plaintextSize: number;
}

/**
 * Opens a stream that `sealObject` made. A segment is yielded only after it was verified; whether the object is
 * complete shows at the end, so a caller that must not act on a part waits for the return value. Throws CryptoError
 * `cannot-open` for a wrong key or identity, and for bytes changed, moved, cut off or added.
 */
export async function* openObject(
  options: OpenObjectOptions,
  sealed: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, OpenedObject, void> {
  const opener = new ObjectOpener(options);
  for await (const piece of sealed) yield* opener.take(piece);
  yield* opener.end();
  return opener.result();
}

/** The plaintext of sealed bytes that are in memory; as {@link openObject}, but all or nothing. */
export function openObjectBytes(options: OpenObjectOptions, sealed: Uint8Array): Uint8Array {
  const opener = new ObjectOpener(options);
  return Buffer.concat([...opener.take(sealed), ...opener.end()]);
}

class ObjectOpener {
  readonly #options: OpenObjectOptions;
  readonly #waiting = new ByteQueue();
  readonly #hash = new Sha256();
  #segments: { readonly key: SegmentKey; readonly bytes: number } | undefined;
  #index = 0;
  #size = 0;
  #plaintextSize = 0;

  constructor(options: OpenObjectOptions) {
    this.#options = options;
  }

  /** A full segment is opened only once a byte behind it is there: until then it may be the last. */
  *take(piece: Uint8Array): Generator<Uint8Array, void, void> {
    this.#hash.update(piece);
    this.#size += piece.length;
    this.#waiting.push(piece);
    if (this.#segments === undefined && this.#waiting.length >= HEADER_BYTES) this.#readHeader();
    const segments = this.#segments;
    if (segments === undefined) return;
    while (this.#waiting.length > segments.bytes) yield* this.#segment(segments.bytes, false);
  }

  *end(): Generator<Uint8Array, void, void> {
    // Only an empty object ends in an empty segment: one length has one form.
    if (this.#index > 0 && this.#waiting.length <= TAG_BYTES) throw cannotOpen();
    yield* this.#segment(this.#waiting.length, true);
  }

  result(): OpenedObject {
    return { digest: this.#hash.hex(), size: this.#size, plaintextSize: this.#plaintextSize };
  }

  #readHeader(): void {
    const header = concatBytes(...this.#waiting.take(HEADER_BYTES));
    const { segmentLog2, salt } = readHeader(header);
    this.#segments = {
      key: segmentKey({ ...this.#options, header, salt }),
      bytes: 2 ** segmentLog2 + TAG_BYTES,
    };
  }

  *#segment(length: number, last: boolean): Generator<Uint8Array, void, void> {
    if (this.#segments === undefined || length < TAG_BYTES) throw cannotOpen();
    const { key, aad } = this.#segments.key;
    const nonce = segmentNonce(this.#index, last);
    const decipher = createDecipheriv(SEGMENT_CIPHER, key, nonce).setAAD(aad);
    const plaintext = this.#waiting.take(length - TAG_BYTES).map((piece) => decipher.update(piece));
    try {
      decipher.setAuthTag(concatBytes(...this.#waiting.take(TAG_BYTES))).final();
    } catch {
      for (const piece of plaintext) piece.fill(0);
      throw cannotOpen();
    }
    this.#index += 1;
    this.#plaintextSize += length - TAG_BYTES;
    yield* plaintext;
  }
}
