// The README's first command, as it is written there: a fresh start, and a second one after a dirty stop.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECKOUT } from '../../scripts/house/index.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-quickstart-'));
const state = join(root, 'state');
after(() => rmSync(root, { recursive: true, force: true }));

function quickstart(): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(CHECKOUT, 'scripts/quickstart.ts'), '--exit', '--state', state]);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

test('a fresh start trains, commits, verifies, and ends with 0', async () => {
  const { code, output } = await quickstart();
  assert.equal(code, 0, output);
  const accuracy = Number(/accuracy (0\.\d+)/.exec(output)?.[1]);
  assert.ok(accuracy >= 0.95, output);
  assert.match(output, /every one decoded and sealed again: equal/);
  assert.doesNotMatch(output, /DOES NOT VERIFY|Problems/);
});

test('a second start, with processes left over from a dirty stop in its way, reuses the state', async () => {
  const before = readFileSync(join(state, 'home', 'profile.json'), 'utf8');
  const { code, output } = await quickstart();
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /organisation created/);
  assert.equal(JSON.parse(readFileSync(join(state, 'home', 'profile.json'), 'utf8')).org, JSON.parse(before).org);
});

test('nothing that it started is left', () => {
  for (const name of readdirSync(join(state, 'logs')).filter((file) => file.endsWith('.pid')))
    assert.fail(`${name} is left`);
});
