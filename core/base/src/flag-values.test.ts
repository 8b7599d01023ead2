import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagValues } from './flag-values.ts';

const values = flagValues((message, next) => new Error(`${message}: ${next}`));

test('flags are read as what they name', () => {
  assert.deepEqual(values.address('listen', '[::1]:7443'), { host: '::1', port: 7443 });
  assert.deepEqual(
    [values.age('keep', '90d'), values.age('keep', 'never'), values.age('keep', undefined)],
    [7_776_000_000, undefined, undefined],
  );
  assert.equal(values.size('reserve', '5GB'), 5e9);
  assert.deepEqual([values.logLevel(undefined), values.logLevel('debug')], ['info', 'debug']);
  assert.deepEqual(values.certificateFiles('a', 'b'), { certificateFile: 'a', keyFile: 'b' });
  assert.equal(values.certificateFiles(undefined, undefined), undefined);
});

test('one that is none is named, with what to write', () => {
  const wrong: [() => unknown, RegExp][] = [
    [() => values.address('listen', 'nowhere'), /--listen .*0\.0\.0\.0:7443.* for IPv6/],
    [() => values.address('listen', 'host:65536'), /--listen is not HOST:PORT/],
    [() => values.age('keep', 'soon'), /--keep is no time: .*90d/],
    [() => values.size('reserve', '999'), /--reserve is not a size/],
    [() => values.size('reserve', 'much'), /--reserve is not a size/],
    [() => values.logLevel('loud'), /--log-level is unknown/],
    [() => values.certificateFiles('a', undefined), /belong together/],
    [() => values.certificateFiles(undefined, 'b'), /belong together/],
  ];
  for (const [read, words] of wrong) assert.throws(read, words);
});
