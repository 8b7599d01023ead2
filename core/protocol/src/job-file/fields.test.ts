import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { looksLikeCredential } from './credential.ts';
import { parseEgressTarget } from './egress-target.ts';
import { parseGpu } from './gpu.ts';
import { editDistance, nearestWord } from './nearest.ts';
import { parseHourlyPrice } from './price.ts';

describe('nearest word', () => {
  test('edit distance counts insertions, deletions, replacements and swaps', () => {
    const known: [string, string, number][] = [
      ['', '', 0],
      ['', 'abc', 3],
      ['kitten', 'sitting', 3],
      ['memroy', 'memory', 1],
      ['ca', 'abc', 3],
      ['flaw', 'lawn', 2],
    ];
    for (const [a, b, distance] of known) {
      assert.equal(editDistance(a, b), distance, `${a} ${b}`);
      assert.equal(editDistance(b, a), distance, `${b} ${a}`);
    }
  });
  test('a limit changes no distance below it', () => {
    const words = [
      'name',
      'nmae',
      'memory',
      'memroy',
      'max_price',
      'priority',
      'on',
      '',
      'no',
      'port',
      'purpose',
      'probe',
    ];
    for (const a of words) {
      for (const b of words) {
        const distance = editDistance(a, b);
        for (const limit of [1, 2, 3, 4]) {
          const found = editDistance(a, b, limit);
          assert.ok(distance < limit ? found === distance : found >= limit, `${a} ${b} ${limit}`);
        }
      }
    }
  });
  test('is found for a typo and not for something else', () => {
    const keys = ['name', 'memory', 'max_duration', 'on_partition'];
    assert.equal(nearestWord('Memory', keys), 'memory');
    assert.equal(nearestWord('max-duration', keys), 'max_duration');
    assert.equal(nearestWord('on-partiton', keys), 'on_partition');
    assert.equal(nearestWord('accelerators', keys), undefined);
    assert.equal(nearestWord('m'.repeat(65), keys), undefined);
  });
});

describe('credentials', () => {
  const made = (prefix: string, length: number): string => prefix + 'a1B2'.repeat(length / 4);
  test('in the formats of well-known issuers are seen anywhere in a text', () => {
    const found = [
      'AKIAIOSFODNN7EXAMPLE',
      made('ghp_', 36),
      made('github_pat_', 40),
      made('hf_', 32),
      made('sk-ant-', 40),
      made('xoxb-', 24),
      made('glpat-', 20),
      '-----BEGIN RSA PRIVATE KEY-----',
      `eyJhbGciOiJIUzI1NiJ9.${made('eyJ', 16)}.${made('', 40)}`,
      'postgres://user:word@db.example/x',
    ];
    for (const text of found) assert.ok(looksLikeCredential(`before ${text} after`), text);
  });
  test('ordinary values are none', () => {
    const ordinary = [
      '1e-3',
      'task-1',
      'https://example.org:8443/a@b',
      'sk-learn',
      'hf_hub',
      'AKIA',
      'python train.py -x',
    ];
    for (const text of ordinary) assert.ok(!looksLikeCredential(text), text);
  });
});

describe('egress targets', () => {
  test('are one host and one port', () => {
    for (const text of ['pypi.org:443', 'PyPI.org:443', '10.1.2.3:8080', 'mirror:80', 'xn--bcher-kva.example:443']) {
      assert.equal(parseEgressTarget(text), text.toLowerCase());
    }
  });
  test('are never wildcards, schemes, odd spellings of addresses, or the own machine and link', () => {
    const refused = `*.pypi.org:443
https://pypi.org:443
pypi.org
pypi.org:0
pypi.org:65536
pypi.org:443/x
:443
localhost:80
a.localhost:80
127.0.0.1:80
127.1:80
0x7f000001:80
2130706433:80
0177.0.0.1:80
0.0.0.0:80
169.254.169.254:80
224.0.0.1:80
255.255.255.255:80
[::1]:80
1.2.3:80
1.2.3.0x4:80
a..b:80
-a.example:80
a_b.example:80
pypi.org.:443
 pypi.org:443
user@pypi.org:443`.split('\n');
    for (const text of refused) assert.equal(parseEgressTarget(text), undefined, text);
  });
});

test('GPUs by model, memory and count', () => {
  const one = { min: 1, max: 1 };
  const known: [string, unknown][] = [
    ['H100', { model: 'H100', memoryBytes: undefined, count: one }],
    ['h100:80GB', { model: 'H100', memoryBytes: { min: 80e9, max: 80e9 }, count: one }],
    ['80GB+:2', { model: undefined, memoryBytes: { min: 80e9, max: undefined }, count: { min: 2, max: 2 } }],
    ['4', { model: undefined, memoryBytes: undefined, count: { min: 4, max: 4 } }],
    ['A100:1..8', { model: 'A100', memoryBytes: undefined, count: { min: 1, max: 8 } }],
  ];
  for (const [text, value] of known) assert.deepEqual(parseGpu(text), value, text);
  for (const text of [
    '',
    ':',
    '0',
    'H100:',
    'H100:0',
    'H100:65',
    'H100:2:80GB',
    'H 100',
    'H100:80GB:1:1',
    'H100:8..2',
  ]) {
    assert.equal(parseGpu(text), undefined, text);
  }
});

test('prices keep six decimals', () => {
  assert.deepEqual(parseHourlyPrice('0.000001 EUR'), { microUnits: 1, currency: 'EUR' });
  assert.deepEqual(parseHourlyPrice('12 USD'), { microUnits: 12_000_000, currency: 'USD' });
  for (const text of ['1.0000001 EUR', '-1 USD', '1e3 USD', '1 USDT', '1USD']) {
    assert.equal(parseHourlyPrice(text), undefined, text);
  }
});
