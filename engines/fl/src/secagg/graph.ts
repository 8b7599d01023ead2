import { createCipheriv } from 'node:crypto';
import type { Degree } from './degree.ts';

/** Who is whose neighbour on a roster; places on the roster from 0. */
export interface RosterGraph {
  readonly degree: Degree;
  /** The neighbours of a place, ascending. */
  neighboursOf(place: number): readonly number[];
}

/** Everybody is everybody's neighbour. */
export function completeGraph(size: number, degree: Degree): RosterGraph {
  return {
    degree,
    neighboursOf: (place) => Array.from({ length: size - 1 }, (_, at) => (at < place ? at : at + 1)),
  };
}

/**
 * A ring in an order that the beacon draws; each is a neighbour of the k/2 nearest on either side (a Harary graph under a random permutation, Bell et al. 2020 §3). Any
 * client draws it again from the 32 bytes of the beacon. A seed must have been fixed before anybody knew it.
 */
export function ringGraph(beacon: Uint8Array, size: number, degree: Degree): RosterGraph {
  const order = permutation(beacon, size);
  const positions = new Uint16Array(size);
  for (let at = 0; at < size; at += 1) positions[order[at] as number] = at;
  const half = degree.neighbours / 2;
  const neighboursOf = (place: number): number[] => {
    const position = positions[place] as number;
    const found: number[] = [];
    for (let step = 1; step <= half; step += 1)
      found.push(order[(position + step) % size] as number, order[(position + size - step) % size] as number);
    return found.sort((a, b) => a - b);
  };
  return { degree, neighboursOf };
}

/** Fisher and Yates's shuffle by the stream of AES-256-CTR under the seed. */
function permutation(seed: Uint8Array, size: number): Uint16Array {
  const order = Uint16Array.from({ length: size }, (_, at) => at);
  const below = wordsBelow(seed, size);
  for (let last = size - 1; last > 0; last -= 1) {
    const other = below(last + 1);
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}

/** Uniform numbers below a bound, from big-endian words of the stream; a word above the last whole multiple is skipped. */
function wordsBelow(seed: Uint8Array, heap: number): (bound: number) => number {
  const cipher = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16));
  const zeros = Buffer.alloc(4 * heap);
  let [words, at] = [Buffer.alloc(0), 0];
  return (bound) => {
    const limit = Math.floor(2 ** 32 / bound) * bound;
    for (;;) {
      if (at === words.length) [words, at] = [cipher.update(zeros), 0];
      const word = words.readUInt32BE(at);
      at += 4;
      if (word < limit) return word % bound;
    }
  };
}
