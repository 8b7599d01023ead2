// GF(2^16), sixteen elements at a time. Branches depend on indices and coefficients, which are public, never on what is shared.

/** sum ^= block · factor, for blocks of 32 bytes. */
export function addScaledBlock(sum: usize, block: usize, factor: u32): void {
  const polynomial = i16x8.splat(0x100b);
  let first = v128.load(block);
  let second = v128.load(block, 16);
  let one = v128.load(sum);
  let two = v128.load(sum, 16);
  for (; factor != 0; factor >>= 1) {
    if (factor & 1) {
      one = v128.xor(one, first);
      two = v128.xor(two, second);
    }
    first = v128.xor(i16x8.shl(first, 1), v128.and(i16x8.shr_s(first, 15), polynomial));
    second = v128.xor(i16x8.shl(second, 1), v128.and(i16x8.shr_s(second, 15), polynomial));
  }
  v128.store(sum, one);
  v128.store(sum, two, 16);
}

/** The polynomial whose coefficients are `terms` blocks of 32 bytes from the constant on, at 1 to `shares`, one block each (Horner). */
export function evaluateShares(coefficients: usize, terms: u32, values: usize, shares: u32): void {
  const polynomial = i16x8.splat(0x100b);
  for (let x: u32 = 1; x <= shares; x += 1, values += 32) {
    let one = i64x2.splat(0);
    let two = i64x2.splat(0);
    for (let at = terms; at > 0; at -= 1) {
      let first = one;
      let second = two;
      const block = coefficients + ((<usize>(at - 1)) << 5);
      one = v128.load(block);
      two = v128.load(block, 16);
      for (let rest = x; rest != 0; rest >>= 1) {
        if (rest & 1) {
          one = v128.xor(one, first);
          two = v128.xor(two, second);
        }
        first = v128.xor(i16x8.shl(first, 1), v128.and(i16x8.shr_s(first, 15), polynomial));
        second = v128.xor(i16x8.shl(second, 1), v128.and(i16x8.shr_s(second, 15), polynomial));
      }
    }
    v128.store(values, one);
    v128.store(values, two, 16);
  }
}
