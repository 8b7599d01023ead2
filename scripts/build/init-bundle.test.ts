import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { HOW } from './bundle.ts';

const ENTRY = resolve(import.meta.dirname, '../../apps/agent/src/sandbox-init/init-text.ts');

test('the init of sandboxes, which travels as its own source text, still runs after the bundler was over it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-init-bundle-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { outputFiles } = await build({ ...HOW, entryPoints: [ENTRY] });
  writeFileSync(join(folder, 'bundle.mjs'), outputFiles[0]?.contents ?? '');
  const print = `import { initText } from './bundle.mjs'; process.stdout.write(initText())`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', print], { cwd: folder });
  writeFileSync(join(folder, 'init.mjs'), text);
  const inbound = { socket: join(folder, 'inbound'), port: 1, word: 1 };
  writeFileSync(join(folder, 'init.json'), JSON.stringify({ egress: null, inbound, env: { ONLY: 'this' } }));
  // Of the four modules that it is given it has used all by the time its command ends.
  const command = `console.log(require('node:fs').existsSync('inbound'), Object.keys(process.env).join()); process.kill(process.pid, 'SIGKILL')`;
  const args = ['init.mjs', 'init.json', process.execPath, '-e', command];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(stdout, 'true ONLY\n', stderr);
  assert.equal(status, 128 + 9);
});
