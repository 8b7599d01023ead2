// Differences of two Poisson variables by inversion of a table of 128 bits.

/** Before the entries: 4,097 words that say where the first of each 12 bits is, and 12 bytes of nothing. */
const GUIDE_BYTES: usize = 16400;

/** The first entry that lies above the number (top, rest): where its first 12 bits say, or after. Entries are 16 bytes, the higher half first. */
function draw(top: u64, rest: u64, table: usize): u32 {
  const place = table + ((<usize>(top >> 52)) << 2);
  let from = load<u32>(place);
  let to = load<u32>(place, 4);
  while (from < to) {
    const middle = (from + to) >> 1;
    const entry = table + GUIDE_BYTES + ((<usize>middle) << 4);
    const a = load<u64>(entry);
    if (a > top || (a == top && load<u64>(entry, 8) > rest)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** rounded[i] += draw − draw for `count` words, from four random words of 64 bits each. */
export function addSkellam(rounded: usize, random: usize, count: u32, table: usize): void {
  const end = rounded + ((<usize>count) << 2);
  for (; rounded < end; rounded += 4, random += 32) {
    const one = draw(load<u64>(random), load<u64>(random, 8), table);
    const other = draw(load<u64>(random, 16), load<u64>(random, 24), table);
    store<u32>(rounded, load<u32>(rounded) + one - other);
  }
}
