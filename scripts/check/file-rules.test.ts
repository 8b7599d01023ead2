import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { brokenFileRules } from './file-rules.ts';
import { emptyFolders } from './source-files.ts';

const CHECKOUT = '/srv/someone/clone';
const broken = (path: string, text: string) => brokenFileRules([{ path, text }], CHECKOUT);

test('a file of 400 lines passes, one more does not, prose may be longer', () => {
  assert.deepEqual(broken('core/base/src/a.ts', 'x\n'.repeat(400)), []);
  assert.match(broken('core/base/src/a.ts', 'x\n'.repeat(401)).join(), /401 lines/);
  assert.deepEqual(broken('README.md', 'x\n'.repeat(401)), []);
});

test('vague names are refused as files, parts of names and folders', () => {
  for (const path of [
    'core/base/src/utils.ts',
    'core/base/src/string-util.ts',
    'apps/agent/src/helpers/a.ts',
    'apps/cli/src/common.test.ts',
  ]) {
    assert.match(broken(path, '').join(), /says nothing/, path);
  }
  assert.deepEqual(broken('core/base/src/utility-function-curve.ts', ''), []);
});

test('paths of one machine and package hosts are refused', () => {
  assert.match(broken('docs/a.md', `see ${CHECKOUT}/docs`).join(), /one machine/);
  assert.match(
    broken('package-lock.json', '{"resolved": "https' + '://packages.example/x.tgz"}').join(),
    /one machine/,
  );
  assert.deepEqual(broken('docs/a.md', 'state lives in /var/lib/ringfence'), []);
});

test('notes of unfinished work are refused in code', () => {
  assert.match(broken('core/base/src/a.ts', '// TO' + 'DO later').join(), /unfinished/);
});

test('a page that names a file which is gone is found, patterns and other words are not', () => {
  const page = (text: string) => [
    { path: 'docs/a.md', text },
    { path: 'core/base/src/clock.ts', text: '' },
  ];
  const problems = (text: string) => brokenFileRules(page(text), CHECKOUT).join();
  assert.match(problems('see `core/base/src/watch.ts`'), /do not exist: core\/base\/src\/watch\.ts/);
  assert.match(problems('see [it](../core/base/src/watch.ts)'), /do not exist/);
  const fine =
    '`core/base/src/clock.ts` [a](../core/base/src/clock.ts#L1) `apps/*/src/main.ts` `x.test.ts` https://a.example/b.md';
  assert.equal(problems(fine), '');
});

test('empty folders are found however deep', () => {
  const tree = mkdtempSync(join(tmpdir(), 'ringfence-empty-'));
  try {
    mkdirSync(join(tree, 'core/a/src'), { recursive: true });
    mkdirSync(join(tree, 'core/b'));
    mkdirSync(join(tree, 'core/b/dist'));
    writeFileSync(join(tree, 'core/b/x.ts'), '');
    assert.deepEqual(emptyFolders(tree), ['core/a/src']);
  } finally {
    rmSync(tree, { recursive: true });
  }
});
