import type { Rng } from '@ringfence/base';

/** A whole number from 0 to `limit` − 1, each equally likely. Throws RangeError for a limit below 1. */
export function uniformBelow(limit: bigint, rng: Rng): bigint {
  if (limit < 1n) throw new RangeError('there is no number below that');
  if (limit === 1n) return 0n;
  const bits = (limit - 1n).toString(2).length;
  const bytes = Math.ceil(bits / 8);
  const spare = BigInt(bytes * 8 - bits);
  // Half of the draws are taken at the least, so the loop ends: after 200 with all but 2^−200.
  for (;;) {
    const drawn = BigInt(`0x${Buffer.from(rng.bytes(bytes)).toString('hex')}`) >> spare;
    if (drawn < limit) return drawn;
  }
}
