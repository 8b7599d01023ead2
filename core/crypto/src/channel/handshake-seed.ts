import { createHash, createHmac } from 'node:crypto';
import { concatBytes, uint64, utf8, type Rng, type Secret } from '@ringfence/base';
import type { Digest } from '../digest.ts';

/** Bytes of a seed. */
export const HANDSHAKE_SEED_BYTES = 32;

const COMMITMENT = 'ringfence/handshake-seed/v1';
const STREAM = utf8('ringfence/handshake-stream/v1');

/**
 * Where the random numbers of a party's handshakes come from: fixed once and committed to, so that whoever is shown the seed can make
 * every handshake again and see that nothing was put into it.
 */
export class HandshakeSeed {
  /** SHA-256 of a tag and the seed: what a journal names. */
  readonly commitment: Digest;
  readonly #secret: Secret;

  /** Of 32 bytes; throws RangeError for another length. */
  constructor(secret: Secret) {
    if (secret.expose().length !== HANDSHAKE_SEED_BYTES) throw new RangeError('a handshake seed has 32 bytes');
    this.#secret = secret;
    this.commitment = createHash('sha256').update(COMMITMENT).update(secret.expose()).digest('hex') as Digest;
  }

  /**
   * The bytes of handshake number `index` (0 is the first of the journal): HMAC-SHA256(seed, tag ‖ index ‖ block), block
   * by block, both counters 64-bit big-endian.
   */
  rng(index: number): Rng {
    let rest: Buffer = Buffer.alloc(0);
    let block = 0;
    const next = (): Buffer => {
      const message = concatBytes(STREAM, uint64(index), uint64(block));
      block += 1;
      return createHmac('sha256', this.#secret.expose()).update(message).digest();
    };
    return {
      bytes(length) {
        while (rest.length < length) rest = Buffer.concat([rest, next()]);
        const bytes = Buffer.from(rest.subarray(0, length));
        rest = rest.subarray(length);
        return bytes;
      },
    };
  }
}
