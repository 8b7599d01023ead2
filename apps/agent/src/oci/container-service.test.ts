import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { missing } from '../../../../scripts/needs.ts';
import { installInit } from '../sandbox-init/init-text.ts';
import { jobFolder, nodeRuntime, openTestHost, planHere, startPlan } from '../sandbox/sandbox-host.fixture.ts';

const SERVICE = `require('node:http').createServer((_, answer) => answer.end('served')).listen(8000, '127.0.0.1', () => console.log('up'))`;

for (const [level, needs] of [
  ['container', missing('root', 'runc')],
  ['gvisor', missing('root', 'runsc')],
] as const)
  suite(`a service at level ${level}`, { skip: needs }, () => {
    test('is called through the init, and ends when it is told to', async (t) => {
      const host = await openTestHost(t);
      const node = nodeRuntime(host);
      const job = await startPlan(
        host,
        planHere(host, {
          level,
          command: ['node', '-e', SERVICE],
          runtimes: [node],
          network: {
            init: { script: installInit(host.folder), node: node.hostPath },
            inbound: { folder: jobFolder(host, 'inbound'), port: 8000 },
          },
        }),
      );
      await until(() => job.stdout() === 'up\n', `it listens: ${job.stderr()}`);
      const connection = await job.running.connectInbound();
      connection.end('GET / HTTP/1.1\r\nhost: job\r\nconnection: close\r\n\r\n');
      const parts: Buffer[] = [];
      for await (const part of connection) parts.push(part as Buffer);
      assert.match(Buffer.concat(parts).toString(), /^HTTP\/1\.1 200[^]*served$/);
      assert.equal((await job.running.stop(20_000)).ended, 'stopped');
    });

    test('runs beside others of its level', async (t) => {
      const hosts = [await openTestHost(t), await openTestHost(t)];
      const jobs = await Promise.all(
        hosts.map((host) =>
          startPlan(host, planHere(host, { level, command: ['sh', '-c', 'echo up; exec sleep 60'] })),
        ),
      );
      for (const job of jobs) await until(() => job.stdout() === 'up\n', `both run: ${job.stderr()}`);
      for (const job of jobs) assert.equal((await job.running.stop(0)).ended, 'stopped');
    });
  });
