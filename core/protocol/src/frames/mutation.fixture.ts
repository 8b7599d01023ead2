import { randomInt } from 'node:crypto';

/** A fast, reproducible stream of numbers in [0, bound) for fuzzing (mulberry32; never for anything else). */
export function fuzzStream(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** The seed of this run: `RINGFENCE_FUZZ_SEED`, else a fresh one. Print it. */
export function fuzzSeed(): number {
  const told = Number(process.env['RINGFENCE_FUZZ_SEED']);
  return Number.isSafeInteger(told) && told > 0 ? told : randomInt(1, 2 ** 31);
}

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '0',
  '-1',
  '1.5',
  '1e9',
  'null',
  '\\u0000',
  '\u{1f600}',
  ' ',
  '9'.repeat(20),
];

/** A copy of `valid` with one to four changes: bytes flipped, set, cut, repeated, or JSON tokens put in. */
export function mutated(valid: Uint8Array, next: (bound: number) => number): Uint8Array {
  let bytes = Buffer.from(valid);
  for (let round = next(4); round >= 0; round -= 1) bytes = change(bytes, next);
  return bytes;
}

function change(bytes: Buffer<ArrayBuffer>, next: (bound: number) => number): Buffer<ArrayBuffer> {
  const at = next(Math.max(1, bytes.length));
  switch (next(6)) {
    case 0:
      if (bytes.length > 0) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << next(8)), at);
      return bytes;
    case 1:
      if (bytes.length > 0) bytes.writeUInt8(next(256), at);
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(next(bytes.length + 1))]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(TOKENS[next(TOKENS.length)] ?? ''), bytes.subarray(at)]);
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(TOKENS[next(TOKENS.length)] ?? ''),
        bytes.subarray(Math.min(bytes.length, at + 1 + next(4))),
      ]);
  }
}
