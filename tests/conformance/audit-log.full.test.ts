// Both logs of a real house after a job: what the command line verifies, alone and offline, and what Go's own client of transparency logs accepts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, startHouse, stateOf, type CliResult, type House } from '../../scripts/house/index.ts';
import { until } from '@ringfence/base/until';
import { need } from '../../scripts/needs.ts';

interface Exported {
  readonly key: string;
  readonly size: number;
}

async function json<T>(house: House, ...words: string[]): Promise<T> {
  const done = await house.cli([...words, '--json']);
  assert.equal(done.code, 0, done.stderr);
  return JSON.parse(done.stdout) as T;
}

/** In a home without anything: what is verified there is verified by the key alone. */
function offline(root: string, ...args: string[]): Promise<CliResult> {
  return runCli({ entries: { kind: 'source' }, home: join(root, 'nobody'), args });
}

test('both logs verify, live and offline, every file is recognised, and Go’s client accepts them', async (t) => {
  if (!need(t, 'go-tlog')) return;
  const root = mkdtempSync(join(tmpdir(), 'ringfence-audit-'));
  const house = await startHouse({ root: join(root, 'house'), agents: 1 });
  try {
    mkdirSync(join(root, 'job'));
    const file = join(root, 'job/job.yaml');
    writeFileSync(file, 'name: logged\nrun: echo done\n');
    assert.equal((await house.cli(['launch', '-y', '--json', file])).code, 0);
    const agent = stateOf({ root: house.root, entries: { kind: 'source' }, env: {} }, 'agent-1');
    await house.process('agent-1').stop();
    for (const log of ['control-plane', 'custodian']) {
      const listed = await json<{ entries: { seq: number; action: string }[] }>(house, 'audit', 'ls', '--log', log);
      const action = log === 'custodian' ? 'granted' : 'attempt-leased';
      const index = listed.entries.find((entry) => entry.action === action)?.seq;
      assert.ok(index !== undefined, `${action} is logged`);
      assert.equal((await json<{ seq: number }>(house, 'audit', 'show', String(index), '--log', log)).seq, index);
      const [proof, whole, tiles] = ['proof', 'whole', 'tiles'].map((name) => join(root, `${log}.${name}`)) as [
        string,
        string,
        string,
      ];
      const { key } = await json<Exported>(house, 'audit', 'prove', String(index), '--to', proof, '--log', log);
      const { size } = await json<Exported>(house, 'audit', 'export', '--to', whole, '--log', log);
      await json<Exported>(house, 'audit', 'export', '--tiles', tiles, '--log', log);
      assert.ok(size > index);
      for (const each of [proof, whole, join(tiles, 'checkpoint')])
        assert.equal((await offline(root, 'verify', each, '--key', key)).code, 0, each);
      assert.notEqual((await offline(root, 'verify', whole)).code, 0, 'without a key nothing is trusted');
      // One bit of an entry: the place is named.
      const lines = readFileSync(whole, 'utf8').split('\n');
      const bent = lines.map((line) => (line.includes('"tile/entries/000') ? bend(line) : line)).join('\n');
      writeFileSync(join(root, `${log}.bent`), bent);
      const refused = await offline(root, 'verify', join(root, `${log}.bent`), '--key', key, '--json');
      assert.equal(refused.code, 1);
      assert.match(refused.stdout, /"code":"changed","index":0,"until":1/);
      const go = spawnSync('/usr/lib/go-1.19/bin/go', ['run', 'main.go', tiles, key], {
        cwd: join(import.meta.dirname, 'go-tlog'),
        encoding: 'utf8',
        env: {
          ...process.env,
          GO111MODULE: 'off',
          GOPATH: '/usr/share/gocode',
          GOFLAGS: '',
          GOCACHE: join(root, 'go'),
        },
      });
      assert.equal(go.status, 0, go.stderr);
      t.diagnostic(go.stdout.trim());
      assert.match(go.stdout, /^accepted [1-9]/);
    }
    await house.restart('agent-1');
    // The custodian has watched the control plane's log, and the agent both.
    const cosigned = async (): Promise<string[]> => {
      const status = await json<{ cosigned: { key: string; origin: string }[] }>(house, 'audit', 'status');
      return status.cosigned.map(({ key, origin }) => `${key.slice(0, 3)} on ${origin.slice(10, 13)}`).toSorted();
    };
    await until(async () => (await cosigned()).length === 3);
    assert.deepEqual(await cosigned(), ['agt on ctl', 'agt on cus', 'cus on ctl']);
    const both = await json<{ logs: { ok: boolean }[] }>(house, 'audit', 'verify', '--journal', agent);
    assert.deepEqual(
      both.logs.map(({ ok }) => ok),
      [true, true],
    );
    await json(house, 'verify', join(agent, 'links', await linkOf(agent), 'journal.jsonl'));
  } finally {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
});

async function linkOf(agent: string): Promise<string> {
  const joined = JSON.parse(readFileSync(join(agent, 'joined.json'), 'utf8')) as { links: { controlPlane: string }[] };
  return joined.links[0]?.controlPlane ?? assert.fail();
}

/** Changes one letter inside the first entry of a bundle's line. */
function bend(line: string): string {
  const { data, tile } = JSON.parse(line) as { data: string; tile: string };
  const bytes = Buffer.from(data, 'base64');
  const at = bytes.indexOf('"at":') + 6;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return JSON.stringify({ data: bytes.toString('base64'), tile });
}
