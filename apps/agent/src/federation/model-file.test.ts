import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder, MODEL_FILE, writeModelFile } from './model-file.ts';

test('an output holds the model alone, whatever a job left in its folder', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'model-file-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [out, elsewhere] = [join(root, 'out'), join(root, 'elsewhere')];
  for (const folder of [out, elsewhere, join(out, 'rows')]) mkdirSync(folder);
  writeFileSync(join(out, 'rows', 'all.csv'), 'a person');
  writeFileSync(join(elsewhere, 'kept'), 'x');
  symlinkSync(elsewhere, join(out, 'link'));
  symlinkSync(join(elsewhere, 'kept'), join(out, MODEL_FILE));
  emptyFolder(out);
  writeModelFile(out, Uint8Array.of(1, 2));
  assert.deepEqual(readdirSync(out), [MODEL_FILE]);
  assert.deepEqual([...readFileSync(join(out, MODEL_FILE))], [1, 2]);
  assert.ok(existsSync(join(elsewhere, 'kept')) && readFileSync(join(elsewhere, 'kept'), 'utf8') === 'x');
});
