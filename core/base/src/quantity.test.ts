import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from './quantity.ts';

test('sizes', () => {
  const vectors: Record<string, number> = {
    '0B': 0,
    '8GB': 8e9,
    '8 GB': 8e9,
    ' 8gb ': 8e9,
    '512MiB': 512 * 2 ** 20,
    '512mib': 512 * 2 ** 20,
    '1.5TB': 1.5e12,
    '1KB': 1000,
    '1KiB': 1024,
    '0.001KB': 1,
    '1.1GiB': 1_181_116_006,
    '8191TiB': 8191 * 2 ** 40,
  };
  for (const [text, bytes] of Object.entries(vectors)) assert.equal(parseSize(text), bytes, text);
});

test('what is no size', () => {
  for (const text of [
    '',
    '8',
    'GB',
    '-1GB',
    '+1GB',
    '1e3B',
    '1.GB',
    '.5GB',
    '1.2345GB',
    '8 G',
    '8G',
    '8iB',
    '8GBs',
    '8GB/s',
    '1,5GB',
    '٣GB',
    '8GB\u0000',
    '8193TiB',
    '9999999B',
    '0x8GB',
  ])
    assert.equal(parseSize(text), undefined, JSON.stringify(text));
});

test('durations', () => {
  const vectors: Record<string, number> = {
    '90d': 7_776_000_000,
    '6h': 21_600_000,
    '30m': 1_800_000,
    '10s': 10_000,
    '250ms': 250,
    '0s': 0,
  };
  for (const [text, milliseconds] of Object.entries(vectors)) assert.equal(parseDuration(text), milliseconds, text);
  for (const text of ['', '10', 's', '-1s', '1.5h', '1 h', '1H', '1w', '1min', '9999999999s', '999999999d', '٣s'])
    assert.equal(parseDuration(text), undefined, text);
});

test('whatever parses is a whole, safe number, in 100,000 tries', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'0123456789.KMGTBi msdh-'.split('')), maxLength: 10 });
  let parsed = 0;
  fc.assert(
    fc.property(letters, (text) => {
      for (const value of [parseSize(text), parseDuration(text)])
        if (value !== undefined) {
          parsed += 1;
          assert.ok(Number.isSafeInteger(value) && value >= 0, `${text}: ${value}`);
        }
    }),
    { numRuns: 100_000 },
  );
  assert.ok(parsed > 100);
});

test('a size for people is a size again, within its rounding', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9e14 }), (bytes) => {
      const again = parseSize(formatSize(bytes));
      assert.ok(again !== undefined && Math.abs(again - bytes) <= Math.max(0, bytes * 0.051), formatSize(bytes));
    }),
  );
  assert.equal(formatSize(999), '999 B');
  assert.equal(formatSize(999_949), '999.9 KB');
  assert.equal(formatSize(999_999), '1.0 MB');
  assert.equal(formatSize(1_500_000), '1.5 MB');
});

test('durations for people', () => {
  const vectors: [number, string][] = [
    [0, '0 ms'],
    [999, '999 ms'],
    [999.6, '1.0 s'],
    [1234, '1.2 s'],
    [59_949, '59.9 s'],
    [59_999, '1 m 0 s'],
    [200_000, '3 m 20 s'],
    [119_999, '2 m 0 s'],
    [3_599_999, '1 h 0 m'],
    [3_600_000, '1 h 0 m'],
    [90_000_000, '25 h 0 m'],
  ];
  for (const [milliseconds, text] of vectors) assert.equal(formatDuration(milliseconds), text, String(milliseconds));
});
