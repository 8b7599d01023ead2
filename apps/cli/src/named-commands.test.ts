// A next step that names a command which is not there leads nowhere: every message of every program is looked through.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VERBS } from './verbs.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('every command that a program names in a message is one', () => {
  const sources = globSync('{apps,core}/*/src/**/*.ts', { cwd: ROOT }).filter(
    (path) => !/(?:\.(?:test|fixture)|[/]main)\.ts$/.test(path),
  );
  const wrong: string[] = [];
  let named = 0;
  for (const path of sources)
    for (const [, first = '', second = ''] of readFileSync(join(ROOT, path), 'utf8').matchAll(
      /`ringfence ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g,
    )) {
      named += 1;
      if (!(first in VERBS) && !(`${first} ${second}` in VERBS)) wrong.push(`${path}: ringfence ${first} ${second}`);
    }
  assert.deepEqual(wrong, []);
  assert.ok(named > 100, `${named} found`);
});
