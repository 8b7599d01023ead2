import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FailureEnvelope } from '@ringfence/protocol/payload';
import { need } from '../../../../scripts/needs.ts';
import { failureEnvelope } from './failure-envelope.ts';
import { isPackedPlace, packedFiles } from './packed-files.ts';

const work = mkdtempSync(join(tmpdir(), 'ringfence-failure-'));
mkdirSync(join(work, 'lib'));
after(() => rmSync(work, { recursive: true, force: true }));

/** What a real interpreter prints, as the envelope that its owner gets. */
function failureOf(program: string, file: string): FailureEnvelope {
  const files = readdirSync(work, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(work, path)).isFile(),
  );
  const packed = packedFiles({
    files: files.map((path) => ({ path, size: statSync(join(work, path)).size, executable: false, chunks: [] })),
  });
  const { stderr, status, signal } = spawnSync(program, [join(work, file), work], { encoding: 'utf8', cwd: work });
  return failureEnvelope({
    class: 'user-code',
    exitCode: status,
    signal,
    peakMemoryBytes: 1_000_000,
    codeFolders: [work],
    isOwnPlace: (path, line) => isPackedPlace(packed, path, line),
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

test('what a job writes into its folder is no place, nor a line that its code as packed has not', () => {
  const told = Buffer.from('patient 17: positive').toString('base64url');
  const script = `const { writeFileSync } = await import('node:fs');
writeFileSync(process.argv[2] + '/${told}', 'its length counts for nothing');
console.error('  File "${told}", line 8, in x');
console.error('  File "run.mjs", line 8675309, in x');
process.exit(42);`;
  writeFileSync(join(work, 'run.mjs'), script);
  const envelope = failureOf(process.execPath, 'run.mjs');
  assert.ok(existsSync(join(work, told)), 'it did write');
  assert.deepEqual([envelope.at, envelope.exitCode], [undefined, 42]);
});

test('links are no place', () => {
  const files = [{ path: 'own.py', size: 3, executable: false, chunks: [] }];
  const manifest = { files, links: [{ path: 'link.py', target: 'own.py' }] };
  const packed = packedFiles(manifest);
  assert.ok(isPackedPlace(packed, 'own.py', 3));
  for (const [path, line] of [
    ['own.py', 0],
    ['own.py', 4],
    ['link.py', 1],
    ['toString', 1],
  ] as const)
    assert.ok(!isPackedPlace(packed, path, line), path);
});
