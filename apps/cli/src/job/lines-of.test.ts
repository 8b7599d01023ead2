import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { linesOf } from './lines-of.ts';

async function collect(parts: Iterable<Uint8Array>, longest: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(parts, { objectMode: false }), longest)) lines.push(line);
  return lines;
}

test('lines come whole, wherever they are cut', async () => {
  const bytes = Buffer.from('é\n\nsecond\nlast');
  assert.deepEqual(
    await collect(
      [...bytes].map((byte) => Buffer.of(byte)),
      6,
    ),
    ['é', '', 'second', 'last'],
  );
});

test('a line without an end stops the reading, and takes no more memory than the longest line', async () => {
  let sent = 0;
  function* endless(): Generator<Uint8Array> {
    for (;;) {
      sent += 1_000;
      if (sent > 1_000_000) return;
      yield Buffer.alloc(1_000, 'x');
    }
  }
  await assert.rejects(collect(endless(), 20_000), { code: 'bad-response' });
  assert.ok(sent < 300_000, String(sent));
});
