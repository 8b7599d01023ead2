// Words modulo 2^32: sums and packing. Pointers are byte offsets; who calls has laid out the memory.

/** target[i] += words[i] for `count` words, a multiple of 4. */
export function addWords(target: usize, words: usize, count: u32): void {
  const end = target + ((<usize>count) << 2);
  for (; target < end; target += 16, words += 16) v128.store(target, i32x4.add(v128.load(target), v128.load(words)));
}

/** target[i] −= words[i] for `count` words, a multiple of 4. */
export function subtractWords(target: usize, words: usize, count: u32): void {
  const end = target + ((<usize>count) << 2);
  for (; target < end; target += 16, words += 16) v128.store(target, i32x4.sub(v128.load(target), v128.load(words)));
}

/** Packs the low `width` bits of `count` words without a gap; writes up to the next multiple of 4 bytes. */
export function packWords(values: usize, bytes: usize, count: u32, width: u32): void {
  const mask: u64 = 0xffffffff >> (32 - width);
  let waiting: u64 = 0;
  let held: u32 = 0;
  const end = values + ((<usize>count) << 2);
  for (; values < end; values += 4) {
    waiting |= (<u64>load<u32>(values) & mask) << held;
    held += width;
    if (held >= 32) {
      store<u32>(bytes, <u32>waiting);
      bytes += 4;
      waiting >>= 32;
      held -= 32;
    }
  }
  if (held > 0) store<u32>(bytes, <u32>waiting);
}

/**
 * Adds `count` packed values of 8 to 31 bits to words, or takes them away. `count` is a multiple of 8, or there is room behind for as many words; reads up to 16 bytes past the values' end. `shape` tells where the values of a vector lie: for either
 * half of eight values three vectors, the places of their lowest bytes, those of the bytes 3 further on, and 2^(8 − the bit that they begin at); then two words, their width and −1 to take them away, else 0.
 */
export function addPackedWords(target: usize, bytes: usize, count: u32, shape: usize): void {
  const width = load<u32>(shape, 96);
  if (width > 24) return addWideWords(target, bytes, count, shape);
  const mask = i32x4.splat(<i32>(0xffffffff >> (32 - width)));
  const flip = i32x4.splat(load<i32>(shape, 100));
  const places0 = v128.load(shape);
  const factor0 = v128.load(shape, 32);
  const places1 = v128.load(shape, 48);
  const factor1 = v128.load(shape, 80);
  const second = width >> 1;
  const end = target + ((<usize>count) << 2);
  for (; target < end; target += 32, bytes += width) {
    const held0 = v128.swizzle(v128.load(bytes), places0);
    const held1 = v128.swizzle(v128.load(bytes + second), places1);
    const value0 = v128.and(i32x4.shr_u(i32x4.mul(held0, factor0), 8), mask);
    const value1 = v128.and(i32x4.shr_u(i32x4.mul(held1, factor1), 8), mask);
    v128.store(target, i32x4.add(v128.load(target), i32x4.sub(v128.xor(value0, flip), flip)));
    v128.store(target, i32x4.add(v128.load(target, 16), i32x4.sub(v128.xor(value1, flip), flip)), 16);
  }
}

/** Bytes from one run of packed values to the next where four are added at once (RUNS_APART): not a power of two, else they would want the same lines of the cache. */
const APART: usize = 65_664;

/**
 * As above for four runs of packed values of 8 to 22 bits at once: the values are added up where they lie, 24 bits at most, and the sums brought into place. Behind the shape's words (at byte 112)
 * are two vectors of the bits that belong to the values of either half.
 */
export function addFourPacked(target: usize, bytes: usize, count: u32, shape: usize): void {
  const width = load<u32>(shape, 96);
  const flip = i32x4.splat(load<i32>(shape, 100));
  const places0 = v128.load(shape);
  const factor0 = v128.load(shape, 32);
  const places1 = v128.load(shape, 48);
  const factor1 = v128.load(shape, 80);
  const bits0 = v128.load(shape, 112);
  const bits1 = v128.load(shape, 128);
  const end = target + ((<usize>count) << 2);
  for (let other = bytes + (width >> 1); target < end; target += 32, bytes += width, other += width) {
    const sum0 = i32x4.add(
      i32x4.add(part(v128.load(bytes), places0, bits0), part(v128.load(bytes, APART), places0, bits0)),
      i32x4.add(part(v128.load(bytes, 2 * APART), places0, bits0), part(v128.load(bytes, 3 * APART), places0, bits0)),
    );
    const sum1 = i32x4.add(
      i32x4.add(part(v128.load(other), places1, bits1), part(v128.load(other, APART), places1, bits1)),
      i32x4.add(part(v128.load(other, 2 * APART), places1, bits1), part(v128.load(other, 3 * APART), places1, bits1)),
    );
    const value0 = i32x4.shr_u(i32x4.mul(sum0, factor0), 8);
    const value1 = i32x4.shr_u(i32x4.mul(sum1, factor1), 8);
    v128.store(target, i32x4.add(v128.load(target), i32x4.sub(v128.xor(value0, flip), flip)));
    v128.store(target, i32x4.add(v128.load(target, 16), i32x4.sub(v128.xor(value1, flip), flip)), 16);
  }
}

/** Four values where they lie in their words, without their neighbours' bits. */
function part(held: v128, places: v128, bits: v128): v128 {
  return v128.and(v128.swizzle(held, places), bits);
}

/** As above for 25 to 31 bits, which lie in up to five bytes. */
function addWideWords(target: usize, bytes: usize, count: u32, shape: usize): void {
  const width = load<u32>(shape, 96);
  const mask = i32x4.splat(<i32>(0xffffffff >> (32 - width)));
  const low = i32x4.splat(0xffffff);
  const flip = i32x4.splat(load<i32>(shape, 100));
  const end = target + ((<usize>count) << 2);
  for (; target < end; target += 32, bytes += width)
    for (let half: usize = 0; half < 2; half += 1) {
      const held = v128.load(bytes + half * (width >> 1));
      const at = shape + 48 * half;
      const factor = v128.load(at, 32);
      const under = v128.and(i32x4.shr_u(i32x4.mul(v128.swizzle(held, v128.load(at)), factor), 8), low);
      const over = i32x4.shl(i32x4.shr_u(i32x4.mul(v128.swizzle(held, v128.load(at, 16)), factor), 8), 24);
      const value = v128.and(v128.or(under, over), mask);
      const place = target + 16 * half;
      v128.store(place, i32x4.add(v128.load(place), i32x4.sub(v128.xor(value, flip), flip)));
    }
}

/** values[i] &= mask for `count` words. */
export function maskWords(values: usize, count: u32, mask: u32): void {
  const end = values + ((<usize>count) << 2);
  for (; values < end; values += 4) store<u32>(values, load<u32>(values) & mask);
}
