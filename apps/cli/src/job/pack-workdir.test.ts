import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Secret, systemRng } from '@ringfence/base';
import { Passphrase, sealWithPassphrase } from '@ringfence/crypto/record';
import { temporaryFolder } from '../cli-process.fixture.ts';
import { leaveOutHint } from './leave-out-hint.ts';
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

test('a sealed key or a code in the folder is not sent away; one that is left out harms nothing', async (t) => {
  const folder = temporaryFolder(t);
  const lock = { passphrase: new Passphrase('correct horse battery'), purpose: 'issuer-key' as const };
  const sealed = await sealWithPassphrase(lock, new Secret(new Uint8Array(32)), systemRng);
  writeFileSync(join(folder, 'issuer.key'), sealed);
  writeFileSync(join(folder, 'note.txt'), `take this: rfj1.${'eyJ2'.repeat(60)}.abcdefgh\n`);
  writeFileSync(join(folder, 'README.md'), 'a join code looks like rfj1.abc.def, a sealed key begins with RFP1');
  assert.throws(() => travelling(folder), {
    code: 'bad-file',
    message: /travel with the job: issuer\.key \(a sealed key\), note\.txt \(a code\)$/,
  });
  writeFileSync(join(folder, '.ringfenceignore'), '*.key\nnote.txt\n');
  assert.deepEqual(travelling(folder).leftOut, ['issuer.key', 'note.txt']);
});

test('data registered from below the folder is named as what a launch from there would pack, until it is left out', (t) => {
  const folder = temporaryFolder(t);
  assert.match(
    leaveOutHint(folder, join(folder, 'data/readings')) ?? '',
    /`echo \/data\/readings >> \.ringfenceignore`/,
  );
  assert.equal(leaveOutHint(join(folder, 'here'), join(folder, 'data')), undefined, 'it lies elsewhere');
  assert.match(leaveOutHint(folder, folder) ?? '', /another folder/);
  writeFileSync(join(folder, '.gitignore'), 'data/\n');
  assert.equal(leaveOutHint(folder, join(folder, 'data/readings')), undefined);
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
