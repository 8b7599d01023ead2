import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../cli-process.fixture.ts';
import { packedLines, travelling } from './pack-workdir.ts';

test('a single file that is left out is named too', (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['.env', 'train.py']) writeFileSync(join(folder, name), name);
  writeFileSync(join(folder, '.ringfenceignore'), '.env\n');
  const { entries, leftOut } = travelling(folder);
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['.ringfenceignore', 'train.py'],
  );
  assert.deepEqual(leftOut, ['.env']);
});

test('what travels is said in files and bytes, what stays by its first names', () => {
  const pack = { files: 12, bytes: 3_000_000, uploaded: 3_000_000 };
  assert.deepEqual(packedLines(pack, []), ['Packed   12 files, 3.0 MB']);
  const names = Array.from({ length: 10 }, (_, count) => `f${count}`);
  assert.deepEqual(packedLines({ ...pack, files: 1, uploaded: 0 }, names), [
    'Packed   1 file, 3.0 MB, 0 B of it new to the custodian',
    '         left out: f0, f1, f2, f3, f4, f5, f6, f7 and 2 more',
  ]);
});
