import { toHex } from '@ringfence/base';

const LENGTH = 32;
/** y-coordinates of the points of order 1, 2, 4 and 8, little-endian (RFC 8032 §5.1.2, sign bit cleared). */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/**
 * Whether `bytes` may be an Ed25519 public key: 32 bytes, y below the field prime, and none of the small-order points
 * under which one signature fits many messages. Whether y is on the curve shows only when a signature is checked.
 */
export function isEd25519Point(bytes: Uint8Array): boolean {
  const last = bytes[LENGTH - 1];
  if (bytes.length !== LENGTH || last === undefined) return false;
  const y = Uint8Array.from(bytes);
  y[LENGTH - 1] = last & 0x7f;
  const reduced =
    y[LENGTH - 1] !== 0x7f || y.subarray(1, LENGTH - 1).some((byte) => byte !== 0xff) || (y[0] ?? 0) < 0xed;
  return reduced && !SMALL_ORDER.has(toHex(y));
}
