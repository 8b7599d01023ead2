import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../../../../scripts/needs.ts';
import { blockingFolder } from './mount-access.ts';
import { placeCopy } from './place-copy.ts';
import { shareRuntime } from './share-runtime.ts';

const JOB = { uid: 61_200, gid: 61_200 };

test('a runtime behind a private folder is copied where the job’s user reaches it', (t) => {
  if (!need(t, 'root')) return;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ringfence-runtime-')));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o711);
  const source = join(folder, 'home', 'node');
  mkdirSync(join(source, 'bin'), { recursive: true });
  copyFileSync('/bin/true', join(source, 'bin', 'program'));
  const copy = join(folder, 'copy');
  assert.equal(shareRuntime(source, copy, JOB), source, 'reachable as it is');

  chmodSync(join(folder, 'home'), 0o700);
  assert.equal(blockingFolder(join(source, 'bin'), JOB), join(folder, 'home'));
  assert.equal(shareRuntime(source, copy, null), source, 'the agent’s own user reaches it');
  for (let round = 0; round < 2; round += 1) assert.equal(shareRuntime(source, copy, JOB), copy);
  execFileSync(join(copy, 'bin', 'program'), { ...JOB, cwd: '/' });
});

test('where another agent was faster, its copy stays and is taken', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-copy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [draft, copy] = [join(folder, 'draft'), join(folder, 'copy')];
  for (const [path, text] of [
    [copy, 'of the faster one'],
    [draft, 'mine'],
  ] as const) {
    mkdirSync(path);
    writeFileSync(join(path, 'program'), text);
  }
  placeCopy(draft, copy);
  assert.equal(readFileSync(join(copy, 'program'), 'utf8'), 'of the faster one');
  assert.ok(!existsSync(draft));
  assert.throws(() => placeCopy(join(folder, 'none'), join(folder, 'other')), { code: 'ENOENT' });
});

/** Gives JOB the right to pass argv[1] by an access control list (xattr format of linux/posix_acl_xattr.h). */
const GRANT = `import os, struct, sys
entries = [(1, 7, 0xffffffff), (2, 1, ${JOB.uid}), (4, 0, 0xffffffff), (16, 1, 0xffffffff), (32, 0, 0xffffffff)]
acl = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)
os.setxattr(sys.argv[1], 'system.posix_acl_access', acl)`;

test('a folder opened by an access control list alone is not called closed', (t) => {
  if (!need(t, 'root', 'python3')) return;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ringfence-acl-')));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'inner'));
  assert.equal(blockingFolder(join(folder, 'inner'), JOB), folder);
  execFileSync('python3', ['-c', GRANT, folder]);
  assert.equal(blockingFolder(join(folder, 'inner'), JOB), null);
});
