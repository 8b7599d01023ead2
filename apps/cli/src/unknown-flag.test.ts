import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknownFlag } from './unknown-flag.ts';

const options = { 'most-at-once': { type: 'string' }, off: { type: 'boolean' } } as const;

test('an unknown flag names the nearest one', () => {
  assert.deepEqual(unknownFlag(['--most-at-onec', '3'], options), {
    flag: '--most-at-onec',
    nearest: '--most-at-once',
  });
  assert.deepEqual(unknownFlag(['word', '--zzzzzz'], options), { flag: '--zzzzzz', nearest: undefined });
  assert.deepEqual(unknownFlag(['--constructor'], options), { flag: '--constructor', nearest: undefined });
});

test('flags that are there, their values, and what stands behind -- are none', () => {
  for (const args of [['--most-at-once', '3', '--off'], ['--most-at-once=--no'], ['--', '--zzzzzz'], ['-x']])
    assert.equal(unknownFlag(args, options), undefined, args.join(' '));
});
