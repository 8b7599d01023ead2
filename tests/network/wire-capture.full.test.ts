// A real house between hosts of our own: tcpdump and nftables on the agent's host say what the agent's journal says, to the byte.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHouse, stateOf, type House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { buildNetwork, type TestNetwork } from './namespaces.ts';
import { startCapture } from './tcpdump.ts';

interface Verified {
  readonly ok: boolean;
  readonly links: readonly {
    ok: boolean;
    smuggling: { signaturesFixed: boolean; handshakesFixed: boolean; job: object; agent: object };
  }[];
  readonly capture: {
    readonly ok: boolean;
    readonly notCaptured: readonly number[];
    readonly connections: readonly { remote: string; state: string; out: number; problems: readonly string[] }[];
  };
  readonly counters?: { readonly ok: boolean };
}

async function verify(house: House, ...flags: string[]): Promise<{ code: number | null; said: Verified }> {
  const state = stateOf({ root: house.root, entries: { kind: 'source' }, env: {} }, 'agent-1');
  const { code, stdout, stderr } = await house.cli(['wire', 'verify', '--json', '--state', state, ...flags]);
  assert.ok(stdout.startsWith('{'), stderr);
  return { code, said: JSON.parse(stdout) };
}

function count(network: TestNetwork, remote: string): () => string {
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(remote) ?? [];
  const [program = '', ...prefix] = network.prefix('ag');
  const rules = `table inet ringfence_watch {
    counter ringfence_out {}
    counter ringfence_in {}
    chain outgoing { type filter hook output priority 0; ip daddr ${address} tcp dport ${port} counter name ringfence_out; }
    chain incoming { type filter hook input priority 0; ip saddr ${address} tcp sport ${port} counter name ringfence_in; }
  }`;
  execFileSync(program, [...prefix, 'nft', '-f', '-'], { input: rules });
  return () => execFileSync(program, [...prefix, 'nft', '-j', 'list', 'counters'], { encoding: 'utf8' });
}

test('what tcpdump and nftables saw on the agent’s host is what its journal says', async (t) => {
  if (!need(t, 'netns', 'nftables', 'tcpdump')) return;
  const root = mkdtempSync(join(tmpdir(), 'ringfence-capture-'));
  const network = buildNetwork(['hub', 'cu', 'ag', 'cl'], []);
  const pcap = join(root, 'agent.pcap');
  const capture = await startCapture({ file: pcap, device: 'out', prefix: network.prefix('ag') });
  try {
    const prefix = {
      'control-plane': network.prefix('hub'),
      relay: network.prefix('hub'),
      custodian: network.prefix('cu'),
      'agent-1': network.prefix('ag'),
      cli: network.prefix('cl'),
    };
    const house = await startHouse({ root: join(root, 'house'), agents: 1, host: network.address('hub'), prefix });
    try {
      mkdirSync(join(root, 'job'));
      const file = join(root, 'job/job.yaml');
      writeFileSync(file, 'name: seen\nrun: echo done > /out/result\noutputs: {/out: {artifact: seen}}\n');
      assert.equal((await house.cli(['launch', '-y', '--json', file])).code, 0);
      await house.process('agent-1').stop();
      const first = await verify(house, '--capture', pcap);
      assert.equal(first.code, 0, JSON.stringify(first.said.capture));
      t.diagnostic(JSON.stringify([first.said.capture.connections, first.said.links[0]?.smuggling.agent]));
      const { connections } = first.said.capture;
      assert.ok(connections.length >= 2, 'the authority was fetched, and the link ran');
      assert.ok(connections.every(({ state }) => state === 'exact'));
      assert.ok(first.said.links.every(({ smuggling }) => smuggling.signaturesFixed && smuggling.handshakesFixed));

      const since = new Date().toISOString();
      const counters = count(network, connections[0]?.remote ?? '');
      await house.restart('agent-1');
      assert.equal((await house.cli(['launch', '-y', '--json', file])).code, 0);
      await house.process('agent-1').stop();
      const counted = join(root, 'counters.json');
      writeFileSync(counted, counters());
      const second = await verify(house, '--capture', pcap, '--counters', counted, '--since', since);
      assert.equal(second.code, 0, JSON.stringify([second.said.capture, second.said.counters]));

      const [address = '', port = ''] = (connections[0]?.remote ?? '').split(':');
      const [program = '', ...inside] = network.prefix('ag');
      const leak = `const s=require('node:net').connect(${port},'${address}',()=>s.end('leak'));s.on('error',()=>{}).on('close',()=>process.exit())`;
      assert.equal(spawnSync(program, [...inside, process.execPath, '-e', leak]).status, 0);
      await capture.stop();
      const third = await verify(house, '--capture', pcap);
      assert.notEqual(third.code, 0);
      const found = third.said.capture.connections.filter(({ problems }) => problems.length > 0);
      assert.deepEqual(
        found.map(({ out, problems }) => [out, problems]),
        [[4, ['unrecorded']]],
      );
      const padded = JSON.parse(readFileSync(counted, 'utf8')) as {
        nftables: { counter?: { name: string; bytes: number } }[];
      };
      for (const { counter } of padded.nftables) if (counter?.name === 'ringfence_out') counter.bytes += 100_000;
      writeFileSync(counted, JSON.stringify(padded));
      assert.equal(
        (await verify(house, '--capture', pcap, '--counters', counted, '--since', since)).said.counters?.ok,
        false,
      );
    } finally {
      await house.stop();
    }
  } finally {
    await capture.stop();
    network.remove();
    rmSync(root, { recursive: true, force: true });
  }
});
