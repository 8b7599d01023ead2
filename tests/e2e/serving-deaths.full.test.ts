// Callers of an endpoint while a replica, the agent of another replica, the control plane and the gateway itself die: nobody's request fails but those
// that were under way in the process that was killed. Closed loop: every caller counts every answer.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { call, load, type Caller } from './serving/callers.ts';
import { programsBelow } from './serving/replica-processes.ts';

/** Callers of `load`, half of which send what is not sent twice. */
const WRITERS = 2;

const root = mkdtempSync(join(tmpdir(), 'ringfence-deaths-'));
let house: House;
let caller: Caller;

before(async () => {
  const gateway = { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: '127.0.0.1:0' };
  house = await startHouse({ root: join(root, 'house'), agents: 2, env: { 'agent-1': gateway } });
  await cli('endpoint', 'gateway', 'add', 'agent-1');
  const workdir = join(root, 'echo');
  cpSync(join(import.meta.dirname, 'serving'), workdir, { recursive: true });
  writeFileSync(join(workdir, 'word'), 'one');
  // More than half of a machine: one replica on each agent.
  const needs = `resources: {cpus: ${cpus().length}, memory: 96MB}`;
  const service = 'service: {port: 8000, probe: /health, replicas: 2}';
  const job = `name: echo\ntype: serve\nrun: exec python3 serve.py\n${needs}\n${service}\n`;
  writeFileSync(join(workdir, 'job.yaml'), job);
  await cli('launch', '-y', join(workdir, 'job.yaml'));
  const { token } = JSON.parse(await cli('endpoint', 'token', 'mint', 'echo', 'app', '--json')) as { token: string };
  await bothReady();
  caller = { address: await addressOf(), issuer: await cli('endpoint', 'ca'), token };
  await until(async () => (await call(caller, 'who')).status === 200, 'the gateway knows the token');
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(args);
  assert.equal(code, 0, `ringfence ${args.join(' ')}: ${stderr}`);
  return stdout;
}

interface Listed {
  readonly replicas: readonly { readonly state: string }[];
  readonly gateways: readonly { readonly listens: string | null }[];
}

async function listed(): Promise<Listed | undefined> {
  const { endpoints } = JSON.parse(await cli('endpoint', 'ls', '--json')) as { endpoints: Listed[] };
  return endpoints[0];
}

function bothReady(): Promise<void> {
  return until(
    async () => (await listed())?.replicas.filter(({ state }) => state === 'ready').length === 2,
    'two replicas are ready',
  );
}

async function addressOf(): Promise<string> {
  const listens = async () => (await listed())?.gateways.find((gateway) => gateway.listens !== null)?.listens;
  await until(async () => (await listens()) !== undefined, 'the gateway listens');
  return `https://${await listens()}/echo/`;
}

async function until(look: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await look().catch(() => false))) assert.ok(performance.now() < deadline, what);
}

/** What callers got while `disturb` did its work and the house came back from it. */
async function underLoad(disturb: () => Promise<void>): Promise<{ well: number; lost: number; others: string[] }> {
  const calls = load(caller);
  await disturb();
  await bothReady();
  const counts = await calls.stop();
  const sum = (of: (key: string) => boolean): number =>
    [...counts].reduce((total, [key, count]) => total + (of(key) ? count : 0), 0);
  const isLost = (key: string): boolean => key.startsWith('502 ') && key.includes('replica-lost');
  return {
    well: sum((key) => key === '200 one'),
    lost: sum(isLost),
    others: [...counts.keys()].filter((key) => key !== '200 one' && !isLost(key)),
  };
}

async function kill(pids: readonly number[]): Promise<void> {
  assert.ok(pids.length > 0, 'there is a replica to kill');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await until(async () => (await listed())?.replicas.some(({ state }) => state !== 'ready') === true, 'it is missed');
}

test('the program of a replica on the gateway’s own machine is killed', async () => {
  const here = programsBelow(house.process('agent-1').pid, 'python3 serve.py');
  const { well, lost, others } = await underLoad(() => kill(here));
  assert.deepEqual(others, []);
  assert.ok(lost <= WRITERS, `${lost} requests were lost`);
  assert.ok(well > 20, `${well} requests were answered`);
});

test('the agent of the other replica is killed', async () => {
  const { well, lost, others } = await underLoad(async () => {
    await house.kill('agent-2');
    await house.restart('agent-2');
    await until(
      async () => programsBelow(house.process('agent-2').pid, 'python3 serve.py').length > 0,
      'it runs again',
    );
  });
  assert.deepEqual(others, []);
  assert.ok(lost <= WRITERS, `${lost} requests were lost`);
  assert.ok(well > 20, `${well} requests were answered`);
});

test('the control plane is killed, is away, and comes back', async () => {
  const { well, lost, others } = await underLoad(async () => {
    await house.kill('control-plane');
    for (let asked = 0; asked < 100; asked += 1) await call(caller, 'who');
    await house.restart('control-plane');
  });
  assert.deepEqual([others, lost], [[], 0]);
  assert.ok(well > 20, `${well} requests were answered`);
});

test('the gateway’s agent is killed: it serves again by itself, with the list that it kept', async () => {
  const listens = new URL(caller.address).port;
  await house.process('custodian').stop();
  await house.kill('agent-1');
  await house.restart('agent-1', { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: `127.0.0.1:${listens}` });
  // Without a custodian: the replica at the other agent, the token and the certificate are those of before.
  await until(async () => (await call(caller, 'who')).status === 200, 'it serves');
  await house.restart('custodian');
  await bothReady();
  assert.equal((await call(caller, 'who')).status, 200);
});
