import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import { startFleet, type Fleet } from './control-link/fleet.ts';
import { startControlPlaneApart, type ControlPlaneApart } from './control-plane/control-plane-apart.ts';
import { enrolOrganisation, keyOf, type Organisation } from './control-plane/organisation.ts';
import { residentBytes } from './control-plane/process-cost.ts';
import type { FloodOptions, FloodState } from './flood/attackers.ts';
import { loadNow, percentile } from './measure.ts';
import type { Row } from './row.ts';

export const description =
  'honest calls of the API beside 5,000 slow connections, 2,000 wrong sign-ins a second and handshakes';

const SLOW = 5_000;
const SIGN_INS_PER_S = 2_000;
const HANDSHAKES_PER_S = 100;
const AGENTS = 20;
/** Until the slow connections are there. */
const RISE_MS = 15_000;
const MEASURE_MS = 20_000;
const CALLS_PER_S = 20;

/** `honest_p99_ms` quiet and under the flood, `resident_mb` at the most, `agents_dropped`. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-flood-'));
  const controlPlane = await startControlPlaneApart(root);
  const fleet = startFleet(1);
  try {
    const [code = ''] = await controlPlane.codes(1);
    const organisation = await enrolOrganisation(controlPlane.target, code, {
      devices: 1,
      agents: AGENTS,
      folder: root,
    });
    const before = await dialAll(fleet, controlPlane, organisation, root);
    const client = clientOf(controlPlane, organisation);
    const quiet = await callFor(client, MEASURE_MS / 2);
    yield row('honest_p99_ms', { flood: false, load: loadNow() }, percentile(quiet, 0.99), 'ms');
    yield* underFlood(controlPlane, client, { fleet, before });
    await client.close();
    await fleet.ask({ kind: 'stop' });
  } finally {
    fleet.end();
    await controlPlane.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function* underFlood(
  { target, process: { pid } }: ControlPlaneApart,
  client: ControlPlaneClient,
  { fleet, before }: { fleet: Fleet; before: readonly number[] },
): AsyncGenerator<Row> {
  const flood = startFlood({
    port: Number(new URL(target.url).port),
    ca: readFileSync(target.caFile, 'utf8'),
    slow: SLOW,
    signInsPerS: SIGN_INS_PER_S,
    handshakesPerS: HANDSHAKES_PER_S,
  });
  try {
    await after(RISE_MS);
    const from = flood.state();
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, residentBytes(pid))), 200);
    const times = await callFor(client, MEASURE_MS);
    clearInterval(watch);
    const to = flood.state();
    const { upAt } = await fleet.ask({ kind: 'up', within: 1_000 });
    const params = {
      slow_open: to?.slowOpen ?? 0,
      slow_closed: (to?.slowClosed ?? 0) - (from?.slowClosed ?? 0),
      sign_ins_per_s: Math.round((((to?.signIns ?? 0) - (from?.signIns ?? 0)) * 1_000) / MEASURE_MS),
      handshakes_per_s: Math.round((((to?.handshakes ?? 0) - (from?.handshakes ?? 0)) * 1_000) / MEASURE_MS),
      answers: Object.entries(to?.answers ?? {})
        .map(([status, count]) => `${status}:${count}`)
        .join(' '),
      calls: times.length,
      load: loadNow(),
    };
    yield { ...row('honest_p99_ms', { flood: true, ...params }, percentile(times, 0.99), 'ms'), goal: { atMost: 100 } };
    yield row('resident_mb', { flood: true }, most / 1e6, 'MB');
    const dropped = AGENTS - upAt.filter((at, index) => at === before[index]).length;
    yield { ...row('agents_dropped', { agents: AGENTS }, dropped, ''), goal: { atMost: 0 } };
  } finally {
    flood.end();
  }
}

function startFlood(options: FloodOptions) {
  const program = join(import.meta.dirname, 'flood/attackers.ts');
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(`${JSON.stringify(options)}\n`);
  let last: FloodState | undefined;
  createInterface(child.stdout).on('line', (line) => (last = JSON.parse(line) as FloodState));
  return { state: () => last, end: () => child.kill('SIGKILL') };
}

/** Calls one after the other at a steady rate; how long each took, failed ones as ∞. */
async function callFor(client: ControlPlaneClient, milliseconds: number): Promise<number[]> {
  const times: Promise<number>[] = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const from = performance.now();
    times.push(
      client.jobs().then(
        () => performance.now() - from,
        () => Infinity,
      ),
    );
    await after(1_000 / CALLS_PER_S);
  }
  return Promise.all(times);
}

async function dialAll(
  fleet: Fleet,
  { target }: ControlPlaneApart,
  { org, agents }: Organisation,
  folder: string,
): Promise<readonly number[]> {
  await fleet.dial({ target, folder, agents: agents.map((agent) => ({ ...agent, org })), perSecond: AGENTS });
  return (await fleet.ask({ kind: 'up', within: 30_000 })).upAt;
}

function clientOf(
  { target: { url, caFile } }: ControlPlaneApart,
  { devices: [device] }: Organisation,
): ControlPlaneClient {
  if (device === undefined) throw new Error('no device was made');
  const identity = { device: device.id, key: keyOf(device.seed) };
  return new ControlPlaneClient({ url, caFile, clock: systemClock, rng: systemRng, identity });
}

function row(name: string, params: Row['params'], value: number, unit: string): Row {
  return { name, params, value, unit, goal: null, peer: null };
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(milliseconds, resolve));
}
