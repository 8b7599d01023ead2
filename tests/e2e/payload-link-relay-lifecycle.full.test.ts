import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { openStateFolder } from '@ringfence/base/platform';
import { requestPayload } from '@ringfence/client/payload-link';
import { certificateFingerprint } from '@ringfence/crypto/certificate';
import {
  agentTo,
  Cleanup,
  listenAt,
  newIdentity,
  relayRoute,
  startParty,
  temporaryFolder,
} from './payload-link-parties.ts';
import { startRelayProcess } from './payload-link-relay-process.ts';

const MAIN = resolve(import.meta.dirname, '../../apps/relay/src/main.ts');

function runToEnd(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

test('says that it is ready, stops cleanly with links open, and keeps its authority', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelayProcess(cleanup);
  assert.equal(relay.pin, certificateFingerprint(readFileSync(relay.caFile)));
  const caller = await newIdentity();
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (_, response) => response.end('{}'),
  });
  await listenAt(party, relay);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  assert.equal((await requestPayload(agent, { method: 'GET', path: '/' })).status, 200);
  assert.equal(await relay.stop('SIGTERM'), 0);
  await party.listener.close(0);
  const again = await startRelayProcess(cleanup, ['--listen', '127.0.0.1:0'], relay.state);
  assert.equal(again.pin, relay.pin);
  assert.equal(await again.stop('SIGINT'), 0);
});

test('a given certificate is used, and no authority is made or printed', async () => {
  await using cleanup = new Cleanup();
  const first = await startRelayProcess(cleanup);
  await first.stop();
  const files = ['--tls-cert', join(first.state, 'server.pem'), '--tls-key', join(first.state, 'server-key.pem')];
  const given = await startRelayProcess(cleanup, ['--listen', '127.0.0.1:0', ...files]);
  assert.deepEqual([given.caFile, given.pin], [null, null]);
  const wrong = ['--tls-cert', join(first.state, 'server.pem'), '--tls-key', join(first.state, 'ca-key.pem')];
  const refused = runToEnd('run', '--state', temporaryFolder(cleanup), '--listen', '127.0.0.1:0', ...wrong);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /belong together/);
});

test('what keeps it from starting is said in two lines, with the next step', async () => {
  await using cleanup = new Cleanup();
  const other = temporaryFolder(cleanup);
  openStateFolder({ path: other, role: 'agent', version: 1 });
  const cases: [string[], RegExp][] = [
    [['run', '--listen', '127.0.0.1:0'], /--state/],
    [['run', '--state', other, '--listen', '127.0.0.1:0'], /belongs to an? agent/],
    [['run', '--state', temporaryFolder(cleanup), '--listen', '192.0.2.1:1'], /cannot be listened on/],
  ];
  for (const [args, expected] of cases) {
    const { status, stdout, stderr } = runToEnd(...args);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, expected);
    assert.match(stderr, /^ringfence relay: .+\n {2}\S.+\n$/);
  }
  const help = runToEnd('--help');
  assert.deepEqual([help.status, help.stderr], [0, '']);
  assert.match(help.stdout, /--listen HOST:PORT/);
});
