import { equalBytes, Secret, type Rng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { withKernels } from '../kernels/compiled.ts';
import { invertPublic, multiplyPublic } from './public-field.ts';

/** Bytes of a secret and of each share's value: 16 elements of GF(2^16), little-endian. */
export const SHARED_SECRET_BYTES = 32;
/** Bytes of a share's salt. */
export const SHARE_SALT_BYTES = 32;
/** The most shares of one secret: each has an index of its own, and zero is the secret's. */
export const MOST_SHARES = 0xffff;

/** One of the shares of a secret. */
export interface Share {
  /** 1 to 65,535. */
  readonly index: number;
  /** 32 bytes; says nothing about the secret without `threshold` − 1 others. */
  readonly value: Secret;
  /** Random bytes that hide the value in its commitment; they go where the share goes. */
  readonly salt: Uint8Array;
}

/** How many shares there are and how many of them are enough. */
export interface SharingPlan {
  readonly threshold: number;
  readonly shares: number;
}

/**
 * Shares with index 1 to `shares` of a secret of 32 bytes, any `threshold` of which give it back and fewer say nothing (Shamir 1979) over GF(2^16). Time does not depend on the secret.
 * Throws FlError `bad-parameters` for a plan that cannot be, `bad-size` for another length, `wiped` for a secret that was destroyed.
 */
export function split(secret: Secret, { threshold, shares }: SharingPlan, rng: Rng): readonly Share[] {
  if (!Number.isInteger(shares) || shares < 1 || shares > MOST_SHARES)
    throw new FlError('bad-parameters', 'a secret has 1 to 65,535 shares');
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > shares)
    throw new FlError('bad-parameters', 'a threshold is at least 1 and at most the number of shares');
  const constant = bytesOf(secret);
  using random = new Secret(rng.bytes(SHARED_SECRET_BYTES * (threshold - 1)));
  const sizes = [SHARED_SECRET_BYTES * threshold, SHARED_SECRET_BYTES * shares];
  const values = withKernels(sizes, ({ evaluateShares, at: [coefficients = 0, dealt = 0], buffer }) => {
    new Uint8Array(buffer, coefficients).set(constant);
    new Uint8Array(buffer, coefficients + SHARED_SECRET_BYTES).set(random.expose());
    evaluateShares(coefficients, threshold, dealt, shares);
    return Array.from(
      { length: shares },
      (_, at) => new Secret(new Uint8Array(buffer, dealt + SHARED_SECRET_BYTES * at, SHARED_SECRET_BYTES).slice()),
    );
  });
  return values.map((value, at) => ({ index: at + 1, value, salt: rng.bytes(SHARE_SALT_BYTES) }));
}

/**
 * The secret of `threshold` shares; any beyond are checked to lie on the same polynomial. Throws FlError `bad-share` where there are too few, two of the same index, or some that do not
 * belong together; `bad-size` for a value of another length.
 */
export function combine(shares: readonly Share[], threshold: number): Secret {
  const indices = shares.map(({ index }) => index);
  if (indices.some((index) => !Number.isInteger(index) || index < 1 || index > MOST_SHARES))
    throw new FlError('bad-share', 'the index of a share is 1 to 65,535');
  if (new Set(indices).size !== indices.length) throw new FlError('bad-share', 'two shares have the same index');
  if (!Number.isInteger(threshold) || threshold < 1 || shares.length < threshold)
    throw new FlError('bad-share', 'there are fewer shares than the threshold');
  const values = shares.map(({ value }) => bytesOf(value));
  const base = indices.slice(0, threshold);
  for (let at = threshold; at < shares.length; at += 1) {
    const expected = interpolate(base, values, indices[at] as number);
    const same = equalBytes(expected, values[at] as Uint8Array);
    expected.fill(0);
    if (!same) throw new FlError('bad-share', 'these shares are not of one secret');
  }
  return new Secret(interpolate(base, values, 0));
}

/** The polynomial through the first values, at `x`: Lagrange's coefficients are of public indices only. */
function interpolate(indices: readonly number[], values: readonly Uint8Array[], x: number): Uint8Array {
  const sizes = [SHARED_SECRET_BYTES, SHARED_SECRET_BYTES];
  return withKernels(sizes, ({ addScaledBlock, at: [sum = 0, block = 0], buffer }) => {
    const term = new Uint8Array(buffer, block, SHARED_SECRET_BYTES);
    for (const [at, own] of indices.entries()) {
      let [over, under] = [1, 1];
      for (const other of indices) {
        if (other === own) continue;
        over = multiplyPublic(over, x ^ other);
        under = multiplyPublic(under, own ^ other);
      }
      term.set(values[at] as Uint8Array);
      addScaledBlock(sum, block, multiplyPublic(over, invertPublic(under)));
    }
    return new Uint8Array(buffer, sum, SHARED_SECRET_BYTES).slice();
  });
}

function bytesOf(secret: Secret): Uint8Array {
  if (secret.wiped) throw new FlError('wiped', 'this secret was destroyed');
  if (secret.length !== SHARED_SECRET_BYTES) throw new FlError('bad-size', 'a shared secret has 32 bytes');
  return secret.expose();
}
