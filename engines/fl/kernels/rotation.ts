// Random signs and Walsh-Hadamard transforms of doubles.

/** Doubles that lie in the first-level cache together. */
const CACHED: u32 = 2048;

/** Multiplies values by `factor`, or by −`factor` where their bit is set, from the least of the first byte on; `count` is a multiple of 8. */
export function flipSigns(values: usize, bits: usize, count: u32, factor: f64): void {
  const factors = f64x2.splat(factor);
  for (let at: u32 = 0; at < count; at += 8, bits += 1, values += 64) {
    const byte: u64 = load<u8>(bits);
    flipPair(values, byte, factors);
    flipPair(values + 16, byte >> 2, factors);
    flipPair(values + 32, byte >> 4, factors);
    flipPair(values + 48, byte >> 6, factors);
  }
}

function flipPair(values: usize, bits: u64, factors: v128): void {
  const signs = i64x2.replace_lane(i64x2.splat(bits << 63), 1, (bits >> 1) << 63);
  v128.store(values, f64x2.mul(v128.xor(v128.load(values), signs), factors));
}

/** The transform of a power of two of values, not divided by its root. Halves first, so that the rest happens in the cache. */
export function transform(values: usize, count: u32): void {
  if (count >= 4 * CACHED) {
    const quarter = count >> 2;
    crossFour(values, quarter);
    for (let part: u32 = 0; part < 4; part += 1) transform(values + ((<usize>part * quarter) << 3), quarter);
    return;
  }
  for (let half: u32 = count >> 1; half >= 2; half >>= 1)
    for (let start: u32 = 0; start < count; start += 2 * half) cross(values + ((<usize>start) << 3), half);
  if (count >= 2) crossPairs(values, count);
}

/** Sums and differences of two runs of `half` values, a multiple of 2. */
function cross(values: usize, half: u32): void {
  let other = values + ((<usize>half) << 3);
  const end = other;
  for (; values < end; values += 16, other += 16) {
    const a = v128.load(values);
    const b = v128.load(other);
    v128.store(values, f64x2.add(a, b));
    v128.store(other, f64x2.sub(a, b));
  }
}

/** Two steps at once over four runs of `quarter` values: half as many ways through the memory. */
function crossFour(values: usize, quarter: u32): void {
  const step = (<usize>quarter) << 3;
  const end = values + step;
  for (; values < end; values += 16) {
    const a = v128.load(values);
    const b = v128.load(values + step);
    const c = v128.load(values + 2 * step);
    const d = v128.load(values + 3 * step);
    const ac = f64x2.add(a, c);
    const bd = f64x2.add(b, d);
    const ca = f64x2.sub(a, c);
    const db = f64x2.sub(b, d);
    v128.store(values, f64x2.add(ac, bd));
    v128.store(values + step, f64x2.sub(ac, bd));
    v128.store(values + 2 * step, f64x2.add(ca, db));
    v128.store(values + 3 * step, f64x2.sub(ca, db));
  }
}

/** Sums and differences of neighbours. */
function crossPairs(values: usize, count: u32): void {
  const end = values + ((<usize>count) << 3);
  for (; values < end; values += 16) {
    const a = load<f64>(values);
    const b = load<f64>(values, 8);
    store<f64>(values, a + b);
    store<f64>(values, a - b, 8);
  }
}
