// From doubles to whole numbers and back.

/** Sum of the squares of `count` doubles, two by two; `count` is a multiple of 2. */
export function sumOfSquares(values: usize, count: u32): f64 {
  let sum = f64x2.splat(0);
  const end = values + ((<usize>count) << 3);
  for (; values < end; values += 16) {
    const pair = v128.load(values);
    sum = f64x2.add(sum, f64x2.mul(pair, pair));
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** values[i] *= factor for `count` doubles, a multiple of 2. */
export function scaleValues(values: usize, count: u32, factor: f64): void {
  const factors = f64x2.splat(factor);
  const end = values + ((<usize>count) << 3);
  for (; values < end; values += 16) v128.store(values, f64x2.mul(v128.load(values), factors));
}

/**
 * Whole numbers modulo 2^32 next to `count` doubles, up where what is above the floor exceeds word / 2^32; returns the sum of their squares, two by two. `count` is a multiple of 2.
 */
export function roundValues(values: usize, words: usize, rounded: usize, count: u32): f64 {
  const one = f64x2.splat(1);
  const range = f64x2.splat(4294967296);
  let sum = f64x2.splat(0);
  const end = values + ((<usize>count) << 3);
  for (; values < end; values += 16, words += 8, rounded += 8) {
    const value = v128.load(values);
    const floor = f64x2.floor(value);
    const word = f64x2.convert_low_i32x4_u(v128.load64_zero(words));
    const above = f64x2.gt(f64x2.mul(f64x2.sub(value, floor), range), word);
    const whole = f64x2.add(floor, v128.and(above, one));
    sum = f64x2.add(sum, f64x2.mul(whole, whole));
    store<u32>(rounded, <u32>(<i64>f64x2.extract_lane(whole, 0)));
    store<u32>(rounded, <u32>(<i64>f64x2.extract_lane(whole, 1)), 4);
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Words whose low `32 − spare` bits are a signed number, as doubles. */
export function liftWords(words: usize, values: usize, count: u32, spare: u32): void {
  const end = words + ((<usize>count) << 2);
  for (; words < end; words += 4, values += 8) store<f64>(values, <f64>(((<i32>load<u32>(words)) << spare) >> spare));
}
