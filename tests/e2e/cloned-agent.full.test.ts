// One agent identity on two machines: the fork of its journal is found, and neither copy gets any work.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ownEntries, startHouse, stateOf, type House } from '../../scripts/house/index.ts';
import { startAgent } from '../../scripts/house/roles.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-cloned-'));
after(() => rmSync(root, { recursive: true, force: true }));

async function launch(house: House, name: string, within: number): Promise<{ code: number | null; stdout: string }> {
  mkdirSync(join(root, 'jobs'), { recursive: true });
  const file = join(root, `jobs/${name}.yaml`);
  writeFileSync(file, `name: ${name}\nrun: echo ran\n`);
  return house.cli(['launch', '-y', '--json', file], { within });
}

async function isLocked(house: House): Promise<boolean> {
  const { stdout } = await house.cli(['agent', 'ls', '--json']);
  const listed: { agents: { locked: boolean }[] } = JSON.parse(stdout);
  return listed.agents.every(({ locked }) => locked);
}

test('a copied agent is found out and locked with its original', async () => {
  const house = await startHouse({ root: join(root, 'house'), agents: 1 });
  const ground = { root: house.root, entries: ownEntries(), env: {} } as const;
  try {
    await house.process('agent-1').stop();
    cpSync(stateOf(ground, 'agent-1'), stateOf(ground, 'agent-copy'), { recursive: true });
    await house.restart('agent-1');
    assert.equal((await launch(house, 'before', 60_000)).code, 0, 'the original works until the copy shows up');
    const copy = await startAgent(ground, 'agent-copy');
    try {
      const deadline = performance.now() + 30_000;
      while (!(await isLocked(house))) assert.ok(performance.now() < deadline, 'the copy was not found out');
      const after = await launch(house, 'after', 5_000);
      assert.notEqual(after.code, 0);
      assert.doesNotMatch(after.stdout, /"log"/, 'nothing ran');
    } finally {
      await copy.stop();
    }
  } finally {
    await house.stop();
  }
});
