import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJobFile } from './parse.ts';
import { JobFileError } from './problem.ts';
import { writeJobFile } from './write.ts';

const PARTS = { name: 'tabular', run: 'node train.ts', dataset: 'breast-cancer', artifact: 'tabular-model' };

test('the template reads as what it was asked for', () => {
  const file = parseJobFile(writeJobFile({ ...PARTS, type: 'batch' }));
  assert.deepEqual(
    [file.name, file.type, file.run, file.mounts, file.outputs],
    [
      'tabular',
      'batch',
      'node train.ts',
      [{ path: '/data', dataset: 'breast-cancer' }],
      [{ path: '/out', artifact: 'tabular-model' }],
    ],
  );
});

test('each line that is commented out is right when it is uncommented', () => {
  const text = writeJobFile({ name: 'a', run: 'b' });
  const commented = text.split('\n').filter((line) => /^# [a-z_]+: /.test(line));
  assert.equal(commented.length, 9);
  for (const line of commented) parseJobFile(text.replace(line, line.slice(2)));
  const all = commented.reduce((changed, line) => changed.replace(line, line.slice(2)), text);
  assert.equal(parseJobFile(all).purpose, 'research');
});

test('a script survives with its lines, quotes and colons', () => {
  for (const run of [
    'a\nb: c\n',
    'echo "x: #y" \'z\'',
    '- a',
    '*x',
    'no',
    '  indented\n    more\n',
    'a\\b',
    '%d',
    '|',
    '"',
  ]) {
    assert.equal(parseJobFile(writeJobFile({ name: 'a', run })).run, run);
  }
});

test('a part that is no valid field is refused, and cannot add keys', () => {
  for (const part of [{ name: 'a\ntype: batch' }, { dataset: 'x}, /etc: {' }, { run: '' }, { artifact: '../x' }]) {
    assert.throws(() => writeJobFile({ ...PARTS, ...part }), JobFileError);
  }
});
