// Callers of an endpoint while a replica, the agent of another replica, the control plane and one of two gateways die: nobody's request fails but
// those that were under way in the process that was killed. Closed loop: every caller counts every answer.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until as untilHolds } from '@ringfence/base/until';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { call, load, type Caller } from './serving/callers.ts';
import { programsBelow } from './serving/replica-processes.ts';

/** Callers of `load`, half of which send what is not sent twice. */
const WRITERS = 2;
const CALLERS = 4;
/** The terms of docs: a lease, and what the control plane adds before it replaces what does not keep on. */
const LEASE_MS = 30_000;
const GRACE_MS = 15_000;
const MARGIN_MS = 3_000;
/** Of one caller while a gateway is away. */
const ANSWERS_MEANWHILE = 50;

const root = mkdtempSync(join(tmpdir(), 'ringfence-deaths-'));
let house: House;
let caller: Caller;
/** The same caller at the gateway of the second agent. */
let neighbour: Caller;

before(async () => {
  const gateway = { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: '127.0.0.1:0' };
  const env = { 'agent-1': gateway, 'agent-2': gateway };
  house = await startHouse({ root: join(root, 'house'), agents: 2, env });
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
  const first = await addressAfter([]);
  await cli('endpoint', 'gateway', 'add', 'agent-2');
  const issuer = await cli('endpoint', 'ca');
  caller = { address: first, issuer, token };
  neighbour = { address: await addressAfter([first]), issuer, token };
  for (const one of [caller, neighbour])
    await until(async () => (await call(one, 'who')).status === 200, 'the gateway knows the token');
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
  readonly replicas: readonly { readonly job: string; readonly state: string }[];
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

/** Where a gateway listens that is none of `others`. */
async function addressAfter(others: readonly string[]): Promise<string> {
  let found: string | undefined;
  await until(async () => {
    const addresses = (await listed())?.gateways.flatMap(({ listens }) =>
      listens === null ? [] : [`https://${listens}/echo/`],
    );
    found = addresses?.find((address) => !others.includes(address));
    return found !== undefined;
  }, 'a gateway listens');
  return found ?? assert.fail();
}

interface Attempts {
  readonly state: string;
  readonly attempts: readonly { readonly attempt: number; readonly state: string }[];
}

/** The attempts of the replicas that are ready now, by job. */
async function readyAttempts(): Promise<Map<string, Attempts>> {
  const ready = (await listed())?.replicas.filter(({ state }) => state === 'ready') ?? [];
  const found = new Map<string, Attempts>();
  for (const { job } of ready) found.set(job, JSON.parse(await cli('status', job, '--json')) as Attempts);
  return found;
}

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A call that fails meanwhile is no answer yet. */
const until = (look: () => Promise<boolean>, what: string): Promise<void> =>
  untilHolds(() => look().catch(() => false), what, 120_000);

/** What callers got while `disturb` did its work and the house came back from it. */
async function underLoad(
  disturb: () => Promise<void>,
  at = caller,
): Promise<{ well: number; lost: number; others: string[] }> {
  const calls = load(at);
  let counts: Awaited<ReturnType<typeof calls.stop>>;
  try {
    await disturb();
    await bothReady();
  } finally {
    counts = await calls.stop();
  }
  const sum = (of: (key: string) => boolean): number =>
    [...counts].reduce((total, [key, count]) => total + (of(key) ? count : 0), 0);
  // Also an answer that is cut off after its head was passed on: its caller cannot be given another.
  const isLost = (key: string): boolean =>
    key === '0 aborted' || (key.startsWith('502 ') && key.includes('replica-lost'));
  return {
    well: sum((key) => key === '200 one'),
    lost: sum(isLost),
    others: [...counts.keys()].filter((key) => key !== '200 one' && !isLost(key)),
  };
}

const PROGRAM = 'python3 serve.py';

/** Kills an agent's replica, and waits for the next one. */
async function killProgram(agent: string): Promise<void> {
  const running = (): readonly number[] => programsBelow(house.process(agent).pid, PROGRAM);
  const killed = running();
  assert.ok(killed.length > 0, 'there is a replica to kill');
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  await until(async () => running().some((pid) => !killed.includes(pid)), 'another one runs');
}

test('the program of a replica on the gateway’s own machine is killed', async () => {
  const { well, lost, others } = await underLoad(() => killProgram('agent-1'));
  assert.deepEqual(others, []);
  assert.ok(lost <= WRITERS, `${lost} requests were lost`);
  assert.ok(well > 20, `${well} requests were answered`);
});

test('the agent of the other replica is killed, and away for longer than a lease: nobody replaces what keeps on', async () => {
  const { well, lost, others } = await underLoad(async () => {
    const before = await readyAttempts();
    await house.kill('agent-2');
    // Time itself is what is tested: any sooner, the control plane would not have replaced what does not keep on either.
    await pass(LEASE_MS + GRACE_MS + MARGIN_MS);
    for (const [job, { attempts }] of before) {
      const now = JSON.parse(await cli('status', job, '--json')) as Attempts;
      assert.deepEqual([now.state, now.attempts.length], ['running', attempts.length], 'without its word or a fence');
    }
    await house.restart('agent-2');
    await until(async () => programsBelow(house.process('agent-2').pid, PROGRAM).length > 0, 'it runs again');
  });
  assert.deepEqual(others, []);
  assert.ok(lost <= CALLERS, `${lost} requests were lost`);
  assert.ok(well > 20, `${well} requests were answered`);
});

test('the control plane is killed, is away for longer than a lease, and comes back: the same replicas go on answering', async () => {
  const before = await readyAttempts();
  const { well, lost, others } = await underLoad(async () => {
    await house.kill('control-plane');
    // Time itself is what is tested: any sooner, the leases that the agents hold would still run.
    await pass(LEASE_MS + MARGIN_MS);
    await house.restart('control-plane');
  });
  const after = await readyAttempts();
  assert.deepEqual(
    Object.fromEntries([...after].map(([job, { attempts }]) => [job, attempts.length])),
    Object.fromEntries([...before].map(([job, { attempts }]) => [job, attempts.length])),
  );
  assert.deepEqual([others, lost], [[], 0]);
  assert.ok(well > 20, `${well} requests were answered`);
});

test('the agent of one of two gateways is killed: who calls the other one notices nothing', async () => {
  const listens = new URL(caller.address).port;
  // Its agent was started anew meanwhile, and listens elsewhere.
  await until(async () => {
    neighbour = { ...neighbour, address: await addressAfter([caller.address]) };
    return (await call(neighbour, 'who')).status === 200;
  }, 'the other gateway serves');
  const { well, lost, others } = await underLoad(async () => {
    await house.kill('agent-1');
    let answers = 0;
    await until(async () => {
      if ((await call(neighbour, 'who')).status === 200) answers += 1;
      return answers >= ANSWERS_MEANWHILE;
    }, 'the other gateway goes on answering');
    await house.restart('agent-1', { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: `127.0.0.1:${listens}` });
    await until(async () => (await call(caller, 'who')).status === 200, 'it serves again');
  }, neighbour);
  assert.deepEqual(others, []);
  // A replica of its own went with it.
  assert.ok(lost <= WRITERS, `${lost} requests were lost`);
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
