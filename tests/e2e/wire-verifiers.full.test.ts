// Both verifiers prove the journals of a real house after a job: the agent's and the custodian's.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHouse, stateOf } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';

interface Report {
  readonly links: readonly { ok: boolean; records: number; head: string; smuggling: { job: object; agent: object } }[];
}

test('both verifiers say the same of an agent and a custodian that ran a job', async (t) => {
  if (!need(t, 'python3')) return;
  const root = mkdtempSync(join(tmpdir(), 'ringfence-verifiers-'));
  const house = await startHouse({ root: join(root, 'house'), agents: 1 });
  try {
    mkdirSync(join(root, 'job'));
    const file = join(root, 'job/job.yaml');
    writeFileSync(file, 'name: proved\nrun: echo done\n');
    assert.equal((await house.cli(['launch', '-y', '--json', file])).code, 0);
    for (const name of ['agent-1', 'custodian']) {
      await house.process(name).stop();
      const state = stateOf({ root: house.root, entries: { kind: 'source' }, env: {} }, name);
      // Without the seal key both count the same signatures as free.
      const flags = ['--state', state, '--seal-key-file', join(root, 'none')];
      const mine = await house.cli(['wire', 'verify', '--json', ...flags]);
      assert.equal(mine.code, 0, mine.stderr);
      const other = spawnSync('python3', ['tools/wire_verify.py', '--json', '--state', state], { encoding: 'utf8' });
      assert.equal(other.status, 0, other.stderr || other.stdout);
      const [a, b] = [mine.stdout, other.stdout].map((text) => JSON.parse(text) as Report);
      assert.ok(a !== undefined && b !== undefined && a.links.length === 1);
      const said = ({ links }: Report) =>
        links.map(({ ok, records, head, smuggling: { job, agent } }) => ({ ok, records, head, job, agent }));
      assert.deepEqual(said(b), said(a));
      const readable = await house.cli(['wire', 'verify', '--state', state]);
      t.diagnostic(readable.stdout);
    }
  } finally {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
