// Logs: followed, cut to a part, kept through the death of the agent, and readable from the custodian when the agent is gone.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import type { House } from '../../scripts/house/index.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-logs-'));
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'empty'));
});

after(() => {
  rmSync(root, { recursive: true, force: true });
});

async function order(name: string, run: string, more = ''): Promise<void> {
  const file = join(root, `${name}.yaml`);
  writeFileSync(file, `name: ${name}\nworkdir: empty\nrun: ${run}\n${more}`);
  const { code, stderr } = await house.cli(['launch', '-y', '-d', file]);
  assert.equal(code, 0, stderr);
}

async function logs(name: string, ...args: string[]): Promise<string> {
  return (await house.cli(['logs', name, ...args])).stdout;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

test('a follower sees what comes; the tail and the recent part can be asked for', async () => {
  await order(
    'counts',
    'for i in 1 2 3 4 5 6 7 8; do echo line-$i; done; sleep 2; echo late',
    'privacy: {logs: local}\n',
  );
  await until(async () => (await logs('counts')).includes('line-8'), 'it runs');
  const followed = await house.cli(['logs', 'counts', '-f']);
  assert.deepEqual(lines(followed.stdout), [...Array.from({ length: 8 }, (_, at) => `line-${at + 1}`), 'late']);
  assert.deepEqual(lines(await logs('counts', '--tail', '3')), ['line-7', 'line-8', 'late']);
  assert.deepEqual(lines(await logs('counts', '--since', '1h')).length, 9);
  assert.deepEqual(lines(await logs('counts', '--attempt', '1', '--tail', '1')), ['late']);
  assert.equal((await house.cli(['logs', 'counts', '--since', 'soon'])).code, 2);
});

test('Ctrl-C ends the following of a launch, says that the job goes on, and lets it go on', async () => {
  const file = join(root, 'goes-on.yaml');
  writeFileSync(file, 'name: goes-on\nworkdir: empty\nrun: while :; do echo here; sleep 1; done\n');
  const leaving = new AbortController();
  const onOutput = (text: string): void => void (text.includes('here') && leaving.abort());
  const { code, stderr } = await house.cli(['launch', '-y', file], { onOutput, interrupt: leaving.signal });
  assert.equal(code, null);
  assert.match(
    stderr,
    /the job goes on: `ringfence logs -f job_\S+` follows it again, `ringfence stop job_\S+` ends it/,
  );
  const { jobs } = JSON.parse((await house.cli(['ps', '--json'])).stdout);
  assert.equal(jobs.find(({ name }: { name: string }) => name === 'goes-on').state, 'running');
  assert.equal((await house.cli(['stop', 'goes-on', '--grace', '0s'])).code, 0);
});

test('a line that was shown is there after the agent was killed', async () => {
  await order('dies', 'while :; do i=$((i+1)); echo line-$i; sleep 0.01; done', 'privacy: {logs: local}\n');
  await until(async () => (await logs('dies')).includes('line-50'), 'it writes');
  const shown = lines(await logs('dies'));
  await house.kill('agent-1');
  await house.restart('agent-1');
  const kept = lines(await logs('dies'));
  assert.deepEqual(kept.slice(0, shown.length), shown);
  await house.cli(['stop', 'dies', '--grace', '0s']);
});

test('a sealed log is read from the custodian when the agent is gone, a local one is not', async () => {
  const { logFile } = house.process('agent-1');
  const sealed = (): number => readFileSync(logFile, 'utf8').split('log.sealed').length;
  const before = sealed();
  await order('sealed', 'echo kept-for-good; echo and-this', 'privacy: {logs: sealed}\n');
  await until(async () => sealed() > before, 'the log is sealed');
  await house.process('agent-1').stop();
  const read = await house.cli(['logs', 'sealed', '--tail', '1']);
  assert.deepEqual(lines(read.stdout), ['and-this'], read.stderr);
  assert.match(read.stderr, /sealed to the custodian/);
  const metrics = await house.cli(['metrics', 'sealed', '--json']);
  assert.equal(metrics.code, 0, metrics.stderr);
  const drawn: { outcome: string; series: { name: string; points: unknown[] }[] } = JSON.parse(metrics.stdout);
  assert.equal(drawn.outcome, 'succeeded');
  assert.ok(
    drawn.series.some(({ name, points }) => name === 'memory' && points.length > 0),
    'its metrics went too',
  );
  assert.notEqual((await house.cli(['logs', 'counts'])).code, 0);
  await house.restart('agent-1');
});
