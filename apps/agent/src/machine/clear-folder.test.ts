import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clearFolder } from './clear-folder.ts';

const NOBODY = 65_534;

test('a folder whose owner took the right to change it away is cleared, and what its links lead to is not', () => {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-clear-'));
  try {
    const [folder, outside] = [join(root, 'job'), join(root, 'outside')];
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), 'x');
    writeFileSync(join(folder, 'a', 'b', 'file'), 'x');
    symlinkSync(outside, join(folder, 'a', 'b', 'link'));
    if (process.getuid?.() === 0) spawnSync('chown', ['-R', '-h', `${NOBODY}:${NOBODY}`, root]);
    for (const path of [join(folder, 'a', 'b'), join(folder, 'a'), outside]) chmodSync(path, 0o555);
    // Root may do everything; so that this can fail, nobody does it.
    const module = join(import.meta.dirname, 'clear-folder.ts');
    if (process.getuid?.() === 0) clearAsNobody(module, folder);
    else clearFolder(folder);
    assert.ok(!existsSync(folder));
    assert.ok(existsSync(join(outside, 'kept')));
    clearFolder(folder);
  } finally {
    if (existsSync(join(root, 'outside'))) chmodSync(join(root, 'outside'), 0o700);
    rmSync(root, { recursive: true, force: true });
  }
});

function clearAsNobody(module: string, folder: string): void {
  const script = `process.setgid(${NOBODY}); process.setuid(${NOBODY}); clearFolder(${JSON.stringify(folder)});`;
  const source = `import { clearFolder } from ${JSON.stringify(module)}; ${script}`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
