import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from './bytes.ts';
import { jsonOf } from './json.ts';

test('whatever can be written as JSON is read back, from text and from bytes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      assert.deepEqual(jsonOf(text), JSON.parse(text));
      assert.deepEqual(jsonOf(utf8(text)), JSON.parse(text));
    }),
  );
});

test('what is no JSON, or no UTF-8, is undefined and throws nothing', () => {
  for (const text of ['', '{', '{"a":1}}', 'undefined', 'NaN', "'a'", '[1,]', '\ufeff1', '"\u0000"'])
    assert.equal(jsonOf(text), undefined, JSON.stringify(text));
  for (const bytes of [[], [0xff], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]])
    assert.equal(jsonOf(Uint8Array.from(bytes)), undefined, bytes.join());
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => void jsonOf(bytes)));
});
