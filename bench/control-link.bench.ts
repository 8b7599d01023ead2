import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import { startControlPlaneApart, type ControlPlaneApart } from './control-plane/control-plane-apart.ts';
import { enrolOrganisation, keyOf, MOST_MEMBERS, type Organisation } from './control-plane/organisation.ts';
import { cpuSeconds, residentBytes, treeCpuSeconds } from './control-plane/process-cost.ts';
import { startFleet, type Fleet } from './control-link/fleet.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from './disk.ts';
import { percentile } from './measure.ts';
import type { Goal, Row } from './row.ts';

export const description = 'thousands of agents’ control links over TLS at one control-plane process, and its restart';

const ORGANISATIONS = 112;
/** One member message of each custodian is a device's, which asks the API what the control plane knows. */
const AGENTS_EACH = MOST_MEMBERS - 1;
const AGENTS = ORGANISATIONS * AGENTS_EACH;
const SIMULATORS = 2;
const DIALS_PER_S = 75;
const UP_WITHIN = 120_000;
const HEARTBEAT_S = 10;
const SETTLE_S = 12;
/** Signed messages in both directions: renewals come by themselves, the rest are the agents'. */
const SIGNED_PER_S = 1_000;
const SLOW_PER_S = 400;
/** No shorter than a heartbeat, so that every agent has a renewal in it. */
const TALK_S = 11;
const FULL = 10_000;

type Bench = {
  readonly controlPlane: ControlPlaneApart;
  readonly fleet: Fleet;
  readonly organisations: readonly Organisation[];
  readonly root: string;
};

/** `agents_per_gb`, `message_p99_ms` with its parts, `reconnect_10k_s` with its parts, `lost`, with the disk's rate. */
export async function* run(): AsyncGenerator<Row> {
  const disk = await diskFdatasyncPerS();
  const root = mkdtempSync(join(tmpdir(), 'ringfence-control-link-'));
  // The agents' journals: each would have a disk of its own, and here all share one with the database.
  const journals = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : root, 'ringfence-journals-'));
  const controlPlane = await startControlPlaneApart(root);
  const fleet = startFleet(SIMULATORS);
  try {
    const organisations = await enrolAll(controlPlane, journals);
    const bench = { controlPlane, fleet, organisations, root: journals };
    yield* memory(bench);
    for (const perSecond of [SLOW_PER_S, SIGNED_PER_S]) yield* messages(bench, perSecond, disk.median);
    yield* reconnect(bench, disk.median);
    yield diskRow(disk);
    await fleet.ask({ kind: 'stop' });
  } finally {
    fleet.end();
    await controlPlane.stop();
    for (const folder of [journals, root]) rmSync(folder, { recursive: true, force: true });
  }
}

async function enrolAll(controlPlane: ControlPlaneApart, folder: string): Promise<Organisation[]> {
  const waiting = await controlPlane.codes(ORGANISATIONS);
  const enrolled: Organisation[] = [];
  const worker = async (): Promise<void> => {
    for (let code = waiting.pop(); code !== undefined; code = waiting.pop())
      enrolled.push(await enrolOrganisation(controlPlane.target, code, { devices: 1, agents: AGENTS_EACH, folder }));
  };
  await Promise.all(Array.from({ length: 12 }, worker));
  return enrolled;
}

/** A fresh control plane without a link, and the same with all of them after every one has sent a heartbeat. */
async function* memory({ controlPlane, fleet, organisations, root }: Bench): AsyncGenerator<Row> {
  await controlPlane.kill();
  await controlPlane.restart();
  const { pid } = controlPlane.process;
  await seconds(2);
  const [before, cpuBefore] = [residentBytes(pid), cpuSeconds(pid)];
  const agents = organisations.flatMap((of) => of.agents.map((agent) => ({ ...agent, org: of.org })));
  const from = performance.now();
  await fleet.dial({ target: controlPlane.target, folder: root, agents, perSecond: DIALS_PER_S });
  const { up } = await fleet.ask({ kind: 'up', within: UP_WITHIN });
  if (up < AGENTS) throw new Error(`only ${up} of ${AGENTS} agents came up`);
  const wall_s = Number(((performance.now() - from) / 1_000).toFixed(1));
  const dialCpu = ((cpuSeconds(pid) - cpuBefore) / AGENTS) * 1_000;
  yield row('connect_cpu_ms', [dialCpu, 'ms of CPU'], null, { agents: AGENTS, wall_s });
  await seconds(SETTLE_S);
  const each = (residentBytes(pid) - before) / AGENTS;
  const params = { agents: AGENTS, kb_each: Math.round(each / 1e3), before_mb: Math.round(before / 1e6) };
  yield row('agents_per_gb', [1e9 / each, 'agents'], { atLeast: 10_000 }, params);
}

/** From the agent's journal to the acknowledgement of what was committed, and from heartbeat to signed renewal. */
async function* messages(bench: Bench, signedPerS: number, fdatasyncPerS: number): AsyncGenerator<Row> {
  const { controlPlane, fleet } = bench;
  const renewals = Math.round(AGENTS / HEARTBEAT_S);
  const perSecond = Math.max(SIMULATORS, signedPerS - renewals);
  await fleet.ask({ kind: 'settle', within: 20_000 });
  const before = await costs(bench);
  const from = performance.now();
  await fleet.ask({ kind: 'talk', perSecond, seconds: TALK_S });
  const { open, ackMs, renewMs } = await fleet.ask({ kind: 'settle', within: 20_000 });
  const after = await costs(bench);
  const wall_s = (performance.now() - from) / 1_000;
  const params = { signed_per_s: perSecond + renewals, statuses_per_s: perSecond, agents: AGENTS };
  const goal = signedPerS === SIGNED_PER_S ? durableGoal({ atMost: 50 }, fdatasyncPerS) : null;
  const name = signedPerS === SIGNED_PER_S ? 'message' : `message_at_${signedPerS}`;
  const acknowledged_per_s = Math.round(ackMs.length / wall_s);
  yield row(`${name}_p99_ms`, [percentile(ackMs, 0.99), 'ms'], goal, { ...params, acknowledged_per_s, open });
  yield row(`${name}_p50_ms`, [percentile(ackMs, 0.5), 'ms'], null, params);
  yield row(`${name}_renewal_p99_ms`, [percentile(renewMs, 0.99), 'ms'], null, params);
  for (const part of ['controlPlane', 'database', 'simulators'] as const) {
    const share = ((after[part] - before[part]) / wall_s) * 100;
    yield row(`${name}_${part.toLowerCase()}_cpu_percent`, [share, '% of a core'], null, params);
  }
  if (controlPlane.process.pid === 0) throw new Error('the control plane has ended');
}

async function costs({ controlPlane, fleet }: Bench) {
  return {
    controlPlane: cpuSeconds(controlPlane.process.pid),
    database: treeCpuSeconds(controlPlane.databasePid),
    simulators: fleet.cpuSeconds(),
  };
}

/** SIGKILL with an offer of every agent on its way; all come back by the product's own random waits. */
async function* reconnect(bench: Bench, fdatasyncPerS: number): AsyncGenerator<Row> {
  const { controlPlane, fleet } = bench;
  const offered = fleet.ask({ kind: 'offer', cpuMilli: 4_321 });
  await seconds(1);
  await controlPlane.kill();
  const killed = Date.now();
  await offered;
  await controlPlane.restart();
  const ready = Date.now();
  const { up, upAt } = await fleet.ask({ kind: 'up', within: UP_WITHIN });
  const wall = (Math.max(...upAt) - ready) / 1_000;
  const params = { agents: AGENTS, up, down_s: (ready - killed) / 1_000, cpu_s: cpuSeconds(controlPlane.process.pid) };
  yield row('reconnect_s', [wall, 's'], null, params);
  const goal = durableGoal({ atMost: 40 }, fdatasyncPerS);
  yield row('reconnect_10k_s', [(wall * FULL) / AGENTS, 's'], goal, { ...params, scaled_from: AGENTS });
  const { open, sent, up: there } = await fleet.ask({ kind: 'settle', within: 30_000 });
  const missing = AGENTS - (await offersKnown(bench, 4_321));
  const away = AGENTS - there;
  yield row('lost', [open + missing + away, 'messages and agents'], { atMost: 0 }, { sent, open, missing, away });
}

/** How many agents the API shows online with the offer that they sent last. */
async function offersKnown({ controlPlane, organisations }: Bench, cpuMilli: number): Promise<number> {
  const { url, caFile } = controlPlane.target;
  let known = 0;
  for (const { devices } of organisations) {
    const [device] = devices;
    if (device === undefined) continue;
    const identity = { device: device.id, key: keyOf(device.seed) };
    const client = new ControlPlaneClient({ url, caFile, clock: systemClock, rng: systemRng, identity });
    const agents = await client.agents();
    known += agents.filter((agent) => agent.online && agent.cpuMilli === cpuMilli).length;
    await client.close();
  }
  return known;
}

function row(name: string, [value, unit]: readonly [number, string], goal: Goal | null, params: Row['params']): Row {
  const load = Math.round(loadavg()[0] ?? 0);
  return { name, params: { ...params, load }, value, unit, goal, peer: null };
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000));
}
