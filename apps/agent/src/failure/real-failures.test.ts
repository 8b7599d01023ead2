import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FailureEnvelope } from '@ringfence/protocol/payload';
import { need } from '../../../../scripts/needs.ts';
import { failureEnvelope } from './failure-envelope.ts';
import { isFileBelow } from './own-file.ts';

const work = mkdtempSync(join(tmpdir(), 'ringfence-failure-'));
mkdirSync(join(work, 'lib'));
after(() => rmSync(work, { recursive: true, force: true }));

/** What a real interpreter prints, as the envelope that its owner gets. */
function failureOf(program: string, file: string): FailureEnvelope {
  const { stderr, status, signal } = spawnSync(program, [join(work, file)], { encoding: 'utf8', cwd: work });
  return failureEnvelope({
    class: 'user-code',
    exitCode: status,
    signal,
    peakMemoryBytes: 1_000_000,
    codeFolders: [work],
    isOwnFile: (path) => isFileBelow(work, path),
    stderr: stderr.split('\n').slice(-60),
  });
}

test('a failure of a real Node program is named by type and place, without its words', () => {
  writeFileSync(
    join(work, 'lib', 'rows.mjs'),
    `export const row = (name) => {\n  throw new RangeError('no ' + name);\n};\n`,
  );
  writeFileSync(join(work, 'run.mjs'), `import { row } from './lib/rows.mjs';\nrow('Jane Doe');\n`);
  const envelope = failureOf(process.execPath, 'run.mjs');
  assert.deepEqual(envelope, {
    class: 'user-code',
    exception: 'RangeError',
    at: 'lib/rows.mjs:2',
    exitCode: 1,
    peakMemoryMb: 1,
  });
});

test('a failure of a real Python program too', (t) => {
  if (!need(t, 'python3')) return;
  writeFileSync(join(work, 'lib', 'rows.py'), 'def row(name):\n    return {}[name]\n');
  writeFileSync(join(work, 'run.py'), `from lib.rows import row\nrow('Jane Doe')\n`);
  const envelope = failureOf('python3', 'run.py');
  assert.deepEqual([envelope.exception, envelope.at, envelope.exitCode], ['KeyError', 'lib/rows.py:2', 1]);
});

test('a file is a place only without a link on the way', () => {
  writeFileSync(join(work, 'own.py'), '');
  symlinkSync('/etc', join(work, 'etc'));
  symlinkSync('own.py', join(work, 'link.py'));
  assert.ok(isFileBelow(work, 'own.py'));
  for (const path of ['etc/passwd', 'link.py', 'lib', 'none.py', 'own.py/x']) assert.ok(!isFileBelow(work, path), path);
});
