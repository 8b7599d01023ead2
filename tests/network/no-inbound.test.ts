// All parties only dial out: agent, custodian and client work from networks that accept no connection at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHouse } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { buildNetwork, type TestNetwork } from './namespaces.ts';

const CLOSED = ['cu', 'ag', 'cl'] as const;

/** Tries to connect from the hub; a closed host never answers. */
function reaches(network: TestNetwork, host: string): boolean {
  const [program = '', ...prefix] = network.prefix('hub');
  const script = `require('node:net').connect({host:'${network.address(host)}',port:1,timeout:400}).on('timeout',()=>process.exit(3)).on('error',e=>process.exit(e.code==='ECONNREFUSED'?0:3))`;
  return spawnSync(program, [...prefix, process.execPath, '-e', script]).status === 0;
}

test('a job runs between hosts that drop every inbound SYN', async (t) => {
  if (!need(t, 'netns', 'nftables')) return;
  const root = mkdtempSync(join(tmpdir(), 'ringfence-network-'));
  const network = buildNetwork(['hub', ...CLOSED], CLOSED);
  try {
    assert.equal(reaches(network, 'hub'), true, 'an open host answers');
    for (const host of CLOSED) assert.equal(reaches(network, host), false, `${host} is closed`);
    const before = CLOSED.map((host) => network.dropped(host));
    assert.ok(before.every((count) => count > 0));
    await runJob(root, network);
    assert.deepEqual(
      CLOSED.map((host) => network.dropped(host)),
      before,
      'nobody even tried to connect inwards',
    );
  } finally {
    network.remove();
    rmSync(root, { recursive: true, force: true });
  }
});

async function runJob(root: string, network: TestNetwork): Promise<void> {
  const prefix = {
    'control-plane': network.prefix('hub'),
    relay: network.prefix('hub'),
    custodian: network.prefix('cu'),
    'agent-1': network.prefix('ag'),
    cli: network.prefix('cl'),
  };
  const house = await startHouse({ root: join(root, 'house'), agents: 1, host: network.address('hub'), prefix });
  try {
    const spaces = [...house.processes.values()].map(({ name, pid }) => [name, readlinkSync(`/proc/${pid}/ns/net`)]);
    assert.deepEqual(
      spaces.filter(([, space]) => space === readlinkSync('/proc/self/ns/net')),
      [],
      'everybody is on a host of the test’s network',
    );
    mkdirSync(join(root, 'job'));
    const file = join(root, 'job/job.yaml');
    writeFileSync(file, 'name: outbound\nrun: echo done > /out/result\noutputs: {/out: {artifact: outbound}}\n');
    const launched = await house.cli(['launch', '-y', '--json', file]);
    assert.equal(launched.code, 0, launched.stderr);
    const fetched = await house.cli(['artifact', 'get', 'outbound', '--out', join(root, 'out')]);
    assert.equal(fetched.code, 0, fetched.stderr);
  } finally {
    await house.stop();
  }
}
