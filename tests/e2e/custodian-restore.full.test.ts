// The custodian's machine is lost: a backup and a fresh code of the operator's bring it back, and the house works on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startHouse, stateOf, type House } from '../../scripts/house/index.ts';
import { ownEntries, roleCommand } from '../../scripts/house/entries.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-restore-'));
const ground = { root: join(root, 'house'), entries: ownEntries(), env: {} } as const;
after(() => rmSync(root, { recursive: true, force: true }));

async function launch(house: House, name: string): Promise<void> {
  mkdirSync(join(root, 'jobs'), { recursive: true });
  const file = join(root, `jobs/${name}.yaml`);
  writeFileSync(file, `name: ${name}\nrun: echo ${name} > /out/result\noutputs: {/out: {artifact: ${name}}}\n`);
  const { code, stderr } = await house.cli(['launch', '-y', file]);
  assert.equal(code, 0, stderr);
}

test('backup, loss, restore: old results open, the epoch is new, new jobs run', async () => {
  const house = await startHouse({ root: ground.root, agents: 1 });
  try {
    await launch(house, 'before');
    const passphrase = join(root, 'passphrase');
    writeFileSync(passphrase, 'five random words of a test\n', { mode: 0o600 });
    const backup = join(root, 'custodian.backup');
    const saved = await house.cli(['custodian', 'backup', '--out', backup, '--passphrase-file', passphrase]);
    assert.equal(saved.code, 0, saved.stderr);
    await house.process('custodian').stop();
    renameSync(stateOf(ground, 'custodian'), stateOf(ground, 'custodian-lost'));
    const [program, ...args] = roleCommand(ground.entries, 'control-plane', [
      'registration-code',
      '--state',
      stateOf(ground, 'control-plane'),
    ]);
    const code = join(root, 'registration-code');
    writeFileSync(code, execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }), {
      mode: 0o600,
    });
    const restored = await house.cli([
      'custodian',
      'restore',
      '--from',
      backup,
      '--state',
      stateOf(ground, 'custodian'),
      '--registration-code-file',
      code,
      '--passphrase-file',
      passphrase,
    ]);
    assert.equal(restored.code, 0, restored.stderr);
    await house.restart('custodian');
    await launch(house, 'after');
    const old = await house.cli(['artifact', 'get', 'before', '--out', join(root, 'out')]);
    assert.equal(old.code, 0, old.stderr);
    assert.match((await house.cli(['doctor'])).stdout, /epoch 2/);
  } finally {
    await house.stop();
  }
});
