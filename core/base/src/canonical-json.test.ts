import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { missing } from '../../../scripts/needs.ts';
import { canonicalBytes, canonicalJson, type Json } from './canonical-json.ts';

const key = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 });
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, false, 0, -0, '', '__proto__'),
    fc.maxSafeInteger(),
    text,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  ),
})).value;

test('RFC 8785 §3.2.2 and §3.2.3, as far as they are in the subset', () => {
  const input: unknown = JSON.parse(
    '{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  );
  assert.equal(canonicalJson(input), '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
  const ordered = { '\r': 1 };
  assert.throws(
    () => canonicalJson(ordered),
    TypeError,
    'keys outside printable ASCII would sort differently elsewhere',
  );
});

test('RFC 8785 appendix B: the integers, and no other numbers', () => {
  for (const [value, expected] of [
    [0, '0'],
    [-0, '0'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [-Number.MAX_SAFE_INTEGER, '-9007199254740991'],
    [1e15, '1000000000000000'],
  ] as const)
    assert.equal(canonicalJson(value), expected);
  for (const value of [2 ** 53, -(2 ** 53), 4.5, 5e-324, 1e21, 333333333.3333333, Number.NaN, Infinity])
    assert.throws(() => canonicalJson(value), TypeError);
});

test('the short escapes and no others', () => {
  assert.equal(
    canonicalJson('\b\t\n\f\r"\\/\u0000\u001f\u007f\u2028é😂'),
    '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\u007f\u2028é😂"',
  );
});

test('what has no canonical form throws', () => {
  class Point {
    readonly x = 1;
  }
  for (const value of [
    undefined,
    1n,
    Symbol('x'),
    () => 1,
    new Map(),
    new Point(),
    Buffer.from('x'),
    [undefined],
    { '': 1 },
  ])
    assert.throws(() => canonicalJson(value), TypeError);
  for (const value of ['\ud800', 'a\udc00b', { a: '\ud83d' }]) assert.throws(() => canonicalJson(value), TypeError);
});

test('members that are undefined are left out', () => {
  assert.equal(canonicalJson({ b: undefined, a: { c: undefined } }), '{"a":{}}');
});

test('nesting is bounded', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 0 : [nest(depth - 1)]);
  assert.equal(canonicalJson(nest(64)).length, 129);
  assert.throws(() => canonicalJson(nest(65)), TypeError);
  assert.throws(() => canonicalJson(nest(5000)), TypeError);
});

test('the order in which an object was built does not show, and reading it back gives the same text', () => {
  fc.assert(
    fc.property(json, (value) => {
      const written = canonicalJson(value);
      assert.equal(canonicalJson(JSON.parse(written)), written);
      assert.equal(canonicalJson(reversed(value)), written);
      assert.equal(Buffer.from(canonicalBytes(value)).toString(), written);
    }),
  );
});

test('Python writes the same bytes', { skip: missing('python3') }, () => {
  const values = fc.sample(json, 1000);
  const program = `import json, sys
for value in json.load(sys.stdin):
    print(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode().hex())`;
  const run = spawnSync('python3', ['-c', program], { input: JSON.stringify(values), encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  const lines = run.stdout.trimEnd().split('\n');
  assert.equal(lines.length, values.length);
  for (const [index, value] of values.entries())
    assert.equal(Buffer.from(canonicalBytes(value)).toString('hex'), lines[index]);
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]): [string, Json] => [name, reversed(member as Json)]);
  return Object.fromEntries(members.toReversed());
}
