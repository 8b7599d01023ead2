import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineReader, LONGEST_LINE } from './line-reader.ts';

const SEED = 7_411;

function read(pieces: readonly Uint8Array[]): string[] {
  const reader = new LineReader();
  return pieces
    .flatMap((piece) => [...reader.take(piece)])
    .map((parsed) => (parsed.ok ? `${parsed.reported.name}=${parsed.reported.value}` : parsed.refusal));
}

describe('a reader of metric lines', () => {
  it('passes over empty lines and waits for the end of the last', () =>
    assert.deepEqual(read([Buffer.from('a 1\n\nb 2\nc 3')]), ['a=1', 'b=2']));

  it('drops a line that is too long up to its end, and goes on behind it', () => {
    const long = `${'x'.repeat(LONGEST_LINE + 1)}`;
    assert.deepEqual(read([Buffer.from(`${long}\na 1\n`)]), ['too-long', 'a=1']);
    const endless = Array.from({ length: 50 }, () => Buffer.alloc(60_000, 'x'));
    assert.deepEqual(read([...endless, Buffer.from(' 1\na 1\n')]), ['too-long', 'a=1']);
  });

  it('refuses what is no UTF-8', () =>
    assert.deepEqual(read([Buffer.from([0x61, 0xff, 0x20, 0x31, 10]), Buffer.from('a 1\n')]), ['malformed', 'a=1']));

  it(`reads the same wherever the pieces are cut (seed ${SEED})`, () => {
    const line = fc.oneof(
      fc.constantFrom('a 1', 'b{x="é"} 2', '', 'no', 'x'.repeat(LONGEST_LINE), 'y'.repeat(LONGEST_LINE + 1)),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(3_000), { maxLength: 10 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
        // One buffer for all pieces, as the pipe has: what the reader keeps must be a copy.
        const shared = Buffer.alloc(bytes.length);
        const reader = new LineReader();
        const found = at.slice(1).flatMap((end, index) => {
          const begin = at[index] ?? 0;
          shared.fill(0);
          bytes.copy(shared, 0, begin, end);
          return [...reader.take(shared.subarray(0, end - begin))];
        });
        assert.deepEqual(
          found.map((parsed) => (parsed.ok ? `${parsed.reported.name}=${parsed.reported.value}` : parsed.refusal)),
          read([bytes]),
        );
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });
});
