import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../cli-process.fixture.ts';
import { readTextFile } from './read-text-file.ts';

test('a file that is not there is said to be absent, with the nearest one that is', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'job.yaml'), '');
  mkdirSync(join(folder, 'jobs.yml'));
  const path = join(folder, 'job.yml');
  assert.throws(() => readTextFile(path, 'name a file'), {
    code: 'bad-file',
    message: `there is no file ${path}`,
    next: 'did you mean job.yaml? Otherwise name a file',
  });
  assert.throws(() => readTextFile(join(folder, 'unlike'), 'name a file'), { next: 'name a file' });
  assert.throws(() => readTextFile(join(folder, 'none', 'job.yml'), 'name a file'), { next: 'name a file' });
});

test('what is there and no file cannot be read', (t) => {
  const folder = temporaryFolder(t);
  assert.throws(() => readTextFile(folder, 'name a file'), {
    message: `${folder} cannot be read`,
    next: 'name a file',
  });
});
