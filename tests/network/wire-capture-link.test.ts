// Every byte that a capture shows is in the journal; a byte that is not, is found. In one process, on the loopback device.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { journalLines, journalParts } from '@ringfence/client/control-link';
import { readSessionKeys, reconcileCapture, wireVerify, type Reconciliation } from '@ringfence/ledger';
import { WebSocket } from 'ws';
import { LoopbackControlPlane } from '../../core/client/src/control-link/control-plane.fixture.ts';
import { fastClock } from '../../core/client/src/control-link/fast-clock.fixture.ts';
import { dial, newParty } from '../../core/client/src/control-link/party.fixture.ts';
import { need } from '../../scripts/needs.ts';
import { startCapture } from './tcpdump.ts';

/** An agent's link over two connections under a capture; `during` is given the port of the control plane while the link is up. */
async function captured(t: TestContext, during: (port: number) => Promise<void>): Promise<Reconciliation> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-capture-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = fastClock(1);
  const controlPlane = new LoopbackControlPlane(clock);
  controlPlane.heartbeatMs = 100;
  await controlPlane.listen(folder);
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const file = join(folder, 'link.pcap');
  const capture = await startCapture({ file, device: 'lo', filter: `tcp port ${controlPlane.port}` });
  const link = join(folder, 'link');
  const run = { job: newId('job', systemRng), attempt: 1 };
  for (const [n, state] of (['running', 'stopped'] as const).entries()) {
    const party = dial(t, controlPlane, { identity, folder: link, clock });
    await until(() => party.link.state === 'up', 'the link');
    await party.link.send({ name: 'attempt-status', body: { ...run, state } });
    await until(() => row.received === n + 1 && party.journal.state.acknowledged === n + 1, 'the message');
    if (n === 0) await during(controlPlane.port);
    await party.close();
  }
  // The control plane's side closes last.
  await until(() => controlPlane.sockets.size === 0, 'all sockets to close');
  await capture.stop();
  const keys = { party: identity.key.publicKey, root: controlPlane.root.publicKey, controlPlane: controlPlane.id };
  const report = wireVerify({
    records: journalLines(journalParts(link)),
    sessions: readSessionKeys(readFileSync(join(link, 'sessions.jsonl'), 'utf8')),
    keys,
  });
  assert.deepEqual(report.problems, []);
  const reconciled = reconcileCapture(readFileSync(file), report.sockets);
  t.diagnostic(JSON.stringify(reconciled.connections));
  return reconciled;
}

test('every byte of a capture is in the journal', async (t) => {
  if (!need(t, 'tcpdump')) return;
  const { ok, connections, notCaptured } = await captured(t, async () => {});
  assert.deepEqual([ok, notCaptured], [true, []]);
  assert.deepEqual(
    connections.map(({ state }) => state),
    ['exact', 'exact'],
  );
});

test('bytes beside the frames are found, though the party counts them', async (t) => {
  if (!need(t, 'tcpdump')) return;
  const send = Reflect.get(WebSocket.prototype, 'send') as (this: WebSocket, ...args: unknown[]) => void;
  t.after(() => (WebSocket.prototype.send = send));
  const { ok, connections } = await captured(t, async () => {
    const sent = new Promise<void>((resolve) => {
      WebSocket.prototype.send = function leaking(this: WebSocket, ...args: unknown[]) {
        // The party's own sockets are clients; the double at the other end has a server's.
        if (this.url !== '' && this.url !== undefined) {
          WebSocket.prototype.send = send;
          this.ping('x');
          resolve();
        }
        Reflect.apply(send, this, args);
      };
    });
    await sent;
  });
  assert.equal(ok, false);
  assert.deepEqual(connections[0]?.problems, ['application']);
  assert.equal((connections[0]?.application ?? 0) - (connections[0]?.explained ?? 0), 7);
});

test('a connection beside the link is found', async (t) => {
  if (!need(t, 'tcpdump')) return;
  const { ok, connections } = await captured(t, async (port) => {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end('x', () => socket.destroySoon()));
      socket.on('close', () => resolve());
      socket.on('error', () => {});
      socket.resume();
    });
  });
  assert.equal(ok, false);
  const leak = connections.find(({ problems }) => problems.length > 0);
  assert.deepEqual([leak?.problems, leak?.out], [['unrecorded'], 1]);
});
