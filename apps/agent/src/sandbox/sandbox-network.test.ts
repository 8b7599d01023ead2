import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Duplex } from 'node:stream';
import { until } from '@ringfence/base/until';
import { need } from '../../../../scripts/needs.ts';
import { installInit } from '../sandbox-init/init-text.ts';
import {
  finish,
  identityOf,
  jobFolder,
  nodeRuntime,
  openTestHost,
  planHere,
  runJob,
  startPlan,
  type TestHost,
} from './sandbox-host.fixture.ts';
import type { SandboxNetwork } from './network.ts';

/** A job's network on this machine: an echo in the place of the egress proxy, and a folder for its service. */
async function networkHere(t: TestContext, host: TestHost, port = 8000): Promise<SandboxNetwork> {
  const egress = join(host.folder, 'egress');
  mkdirSync(egress);
  chmodSync(egress, 0o755);
  const proxy = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket));
  proxy.listen({ path: join(egress, 'egress.sock'), writableAll: true });
  t.after(() => proxy.close());
  await once(proxy, 'listening');
  return {
    init: { script: installInit(host.folder), node: nodeRuntime(host).hostPath },
    egress: { folder: egress },
    inbound: { folder: jobFolder(host, 'inbound'), port },
  };
}

async function textOf(stream: Duplex): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

test('what a job sends to 127.0.0.1:3128 arrives at the agent’s proxy, and nothing else arrives anywhere', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const network = await networkHere(t, host);
  const program = `const net = require('node:net');
    const proxy = net.connect(3128, '127.0.0.1', () => proxy.end('to the proxy and back\\n'));
    proxy.pipe(process.stdout);
    net.connect(53, '192.0.2.1').on('error', (error) => console.log(error.code));
    console.log(Object.keys(require('node:os').networkInterfaces()).join());`;
  const { stdout, stderr, exit } = await runJob(host, {
    command: ['node', '-e', program],
    runtimes: [nodeRuntime(host)],
    network,
  });
  assert.equal(exit.code, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n').toSorted(), ['ENETUNREACH', 'lo', 'to the proxy and back']);
});

test('the job has its own environment and its proxy, not the init’s', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const network = await networkHere(t, host);
  const { stdout, stderr } = await runJob(host, {
    command: ['/usr/bin/env'],
    env: { NODE_OPTIONS: '--no-such-option', LR: '1e-3', https_proxy: 'http://mine' },
    network,
  });
  const names = [
    'HOME',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'LANG',
    'LR',
    'NODE_OPTIONS',
    'NO_PROXY',
    'PATH',
    'PWD',
    'http_proxy',
    'https_proxy',
    'no_proxy',
  ];
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=', 1).join())
      .toSorted(),
    names,
    stderr,
  );
  assert.match(stdout, /^HTTPS_PROXY=http:\/\/127\.0\.0\.1:3128$/m);
  assert.match(stdout, /^NO_PROXY=127\.0\.0\.1,localhost$/m);
  assert.match(stdout, /^https_proxy=http:\/\/mine$/m);
});

test('a job below the init ends with its own status, and its signals', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const network = await networkHere(t, host);
  const failed = await runJob(host, { command: { script: 'exit 7' }, network });
  assert.deepEqual([failed.exit.ended, failed.exit.code, failed.exit.signal], ['exited', 7, null]);
  const killed = await runJob(host, { command: { script: 'kill -KILL $$' }, network });
  assert.deepEqual([killed.exit.code, killed.exit.signal], [null, 'SIGKILL']);
  const absent = await runJob(host, { command: ['/no/such/program'], network });
  assert.equal(absent.exit.code, 127);
  assert.match(absent.stderr, /cannot be started \(ENOENT\)/);
});

test('a stop reaches the command once, and the init waits for it', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const network = await networkHere(t, host);
  const script = `n=0; trap 'n=$((n+1))' TERM; echo up
    while [ $n = 0 ]; do sleep 0.05 || true; done
    for turn in 1 2 3 4 5 6; do sleep 0.05 || true; done; echo "term $n"; exit 3`;
  const job = await startPlan(host, planHere(host, { command: ['/bin/bash', '-c', script], network }));
  await until(() => job.stdout() === 'up\n', 'the job runs');
  void job.running.stop(10_000);
  const { exit, stdout } = await finish(job);
  assert.equal(stdout, 'up\nterm 1\n');
  assert.deepEqual([exit.ended, exit.code], ['stopped', 3]);
});

test('a service answers through its socket, and says so when it does not listen', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const network = await networkHere(t, host);
  const program = `const server = require('node:net').createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    process.on('SIGTERM', () => server.listen(8000, '127.0.0.1', () => console.log('listens')));
    console.log('waits');`;
  const script = `${program} setInterval(() => {}, 1000)`;
  const plan = planHere(host, { command: ['node', '-e', script], runtimes: [nodeRuntime(host)], network });
  const job = await startPlan(host, plan);
  t.after(() => job.running.stop(0));
  await until(() => job.stdout() !== '', 'the job runs');
  await assert.rejects(job.running.connectInbound(), { code: 'inbound-refused' });
  void job.running.stop(60_000);
  await until(() => job.stdout().includes('listens'), 'the service listens');
  const calls = Array.from({ length: 20 }, async (_, index) => {
    const call = await job.running.connectInbound();
    call.end(`call ${index}`);
    return textOf(call);
  });
  assert.deepEqual(
    await Promise.all(calls),
    calls.map((_, index) => `call ${index}`),
  );
});

test('a link or another socket in the place of a service leads the agent nowhere', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const network = await networkHere(t, host);
  let reached = 0;
  for (const name of ['same-user', 'agent']) {
    const victim = createServer(() => (reached += 1)).listen(join(host.folder, name));
    t.after(() => victim.close());
    await once(victim, 'listening');
  }
  const { uid, gid } = identityOf(host);
  if (process.getuid?.() === 0) chownSync(join(host.folder, 'same-user'), uid, gid);
  const job = await startPlan(host, planHere(host, { command: { script: 'echo up; sleep 60' }, network }));
  t.after(() => job.running.stop(0));
  await until(() => job.stdout() === 'up\n', 'the job runs');
  const socket = join(network.inbound?.folder ?? '', 'inbound.sock');
  rmSync(socket);
  symlinkSync(join(host.folder, 'same-user'), socket);
  await assert.rejects(job.running.connectInbound(), { code: 'inbound-refused' });
  rmSync(socket);
  if (process.getuid?.() === 0) {
    linkSync(join(host.folder, 'agent'), socket);
    await assert.rejects(job.running.connectInbound(), { code: 'inbound-refused' });
  }
  assert.equal(reached, 0);
});
