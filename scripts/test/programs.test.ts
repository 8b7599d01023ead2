import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { utf8 } from '@ringfence/base';
import { SDK_FILES } from '../build/release-tree.ts';
import { folderName } from './programs.ts';

test('programs of another run are used only where programs and what jobs import are the same', (t) => {
  const checkout = mkdtempSync(join(tmpdir(), 'ringfence-programs-'));
  t.after(() => rmSync(checkout, { recursive: true }));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(checkout, 'sdk', name)), { recursive: true });
    writeFileSync(join(checkout, 'sdk', name), text);
  };
  for (const name of SDK_FILES) write(name, 'one');
  const bundles = [{ contents: utf8('agent') }, { contents: utf8('relay') }];
  const names = [folderName(checkout, bundles)];
  assert.equal(folderName(checkout, bundles), names[0]);
  for (const name of SDK_FILES) {
    write(name, 'two');
    names.push(folderName(checkout, bundles));
  }
  names.push(folderName(checkout, [{ contents: utf8('agent, changed') }, { contents: utf8('relay') }]));
  assert.equal(new Set(names).size, names.length);
});
