import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import { TestBrowser } from '../apps/control-plane/src/sessions/test-browser.fixture.ts';
import { startControlPlaneApart, type ControlPlaneApart } from './control-plane/control-plane-apart.ts';
import { enrolOrganisation, keyOf } from './control-plane/organisation.ts';
import { cpuSeconds, treeCpuSeconds } from './control-plane/process-cost.ts';
import { loadNow, overRepeats, percentile } from './measure.ts';
import type { Goal, Row } from './row.ts';
import type { CallersOptions, CallersResult } from './session/callers.ts';

export const description =
  'requests of a browser that is signed in, per core of the control plane, and how soon an ended session is refused';

const CONNECTIONS = 32;
const SECONDS = 4;
const WARM_UP_MS = 5_000;
const REPEATS = 3;
const ENDINGS = 20;

type Ask = { readonly name: string; readonly path: string; readonly status: number; readonly goal: Goal };

/**
 * `requests_per_s`: the answer comes after signature, session, lock check and Cedar (no decision is remembered), and reads nothing: the id in the path is
 * none. `requests_rls_per_s`: the same with one read under row-level security. Both by the control plane's processor time, over TLS.
 */
const ASKS: readonly Ask[] = [
  { name: 'requests_per_s', path: '/v1/jobs/none', status: 404, goal: { atLeast: 12_000 } },
  { name: 'requests_rls_per_s', path: '/v1/jobs', status: 200, goal: { atLeast: 3_000 } },
];

export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-session-'));
  const controlPlane = await startControlPlaneApart(root);
  try {
    const { browser, client, target } = await signedIn(controlPlane, root);
    for (const ask of ASKS) yield await measure(controlPlane, browser, ask);
    yield await revocation(target, client, browser);
    await client.close();
  } finally {
    await controlPlane.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** A browser of an owner of an organisation, who has a password and an authenticator. */
async function signedIn(controlPlane: ControlPlaneApart, root: string) {
  const { url, caFile } = controlPlane.target;
  const [code = ''] = await controlPlane.codes(1);
  const folder = join(root, 'journal');
  const { devices } = await enrolOrganisation(controlPlane.target, code, { devices: 1, agents: 0, folder });
  const [device] = devices;
  if (device === undefined) throw new Error('no device was made');
  const identity = { device: device.id, key: keyOf(device.seed) };
  const client = new ControlPlaneClient({ url, caFile, clock: systemClock, rng: systemRng, identity });
  const target = { ready: { url, ca_file: caFile } };
  const browser = new TestBrowser(target, systemClock);
  await browser.accept(await client.inviteMember({ roles: [{ role: 'owner' }] }));
  await browser.enrol();
  return { browser, client, target };
}

async function measure(
  controlPlane: ControlPlaneApart,
  browser: TestBrowser,
  { name, path, status, goal }: Ask,
): Promise<Row> {
  const [rates, walls, database]: [number[], number[], number[]] = [[], [], []];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const { requests, cpu, databaseCpu } = await call(controlPlane, browser, { path, status });
    rates.push(requests / cpu);
    walls.push(requests / SECONDS);
    database.push((databaseCpu / requests) * 1e3);
  }
  const { median, spreadPercent } = overRepeats(rates);
  const params = {
    connections: CONNECTIONS,
    wall_per_s: Math.round(percentile(walls, 0.5)),
    database_cpu_ms_each: Number(percentile(database, 0.5).toFixed(3)),
    spread_percent: spreadPercent,
    load: loadNow(),
  };
  return { name, params, value: median, unit: '1/s', goal, peer: null };
}

async function call(
  { target, process: { pid }, databasePid }: ControlPlaneApart,
  browser: TestBrowser,
  { path, status }: Pick<Ask, 'path' | 'status'>,
): Promise<{ requests: number; cpu: number; databaseCpu: number }> {
  const options: CallersOptions = {
    port: Number(new URL(target.url).port),
    ca: readFileSync(target.caFile, 'utf8'),
    path,
    status,
    cookie: browser.cookie,
    session: browser.session ?? '',
    seed: Buffer.from(browser.key.seed().expose()).toString('hex'),
    connections: CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    seconds: SECONDS,
  };
  const program = join(import.meta.dirname, 'session/callers.ts');
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(options));
  const used = (): [number, number] => [cpuSeconds(pid), treeCpuSeconds(databasePid)];
  let before: [number, number] | undefined;
  for await (const line of createInterface(child.stdout)) {
    if (before === undefined) {
      before = used();
      continue;
    }
    const [own, database] = used();
    const { requests, failed } = JSON.parse(line) as CallersResult;
    if (failed > 0) throw new Error(`${failed} answers to ${path} were not ${status}`);
    return { requests, cpu: own - before[0], databaseCpu: database - before[1] };
  }
  throw new Error('the callers’ process ended');
}

/** From the answer to the ending of a session until it is refused, looking again at once each time: the longest of some. */
async function revocation(
  target: { readonly ready: Readonly<Record<string, string | null>> & { readonly url: string } },
  client: ControlPlaneClient,
  owner: TestBrowser,
): Promise<Row> {
  const times: number[] = [];
  for (let ending = 0; ending < ENDINGS; ending += 1) {
    const browser = new TestBrowser(target, systemClock);
    const body = { roles: [{ role: 'read-only' as const }] };
    const invited = await owner.ask('POST', '/v1/members', body);
    await browser.accept(invited.value as Parameters<TestBrowser['accept']>[0]);
    const { session } = browser;
    if (session === undefined) throw new Error('nobody signed in');
    if ((await browser.ask('GET', '/v1/account')).status !== 200) throw new Error('the session does not go on');
    await client.endSession(session);
    const from = performance.now();
    while ((await browser.ask('GET', '/v1/account')).status !== 401) {
      if (performance.now() - from > 10_000) throw new Error('the session was never refused');
    }
    times.push((performance.now() - from) / 1_000);
  }
  const value = Math.max(...times);
  return {
    name: 'revocation_s',
    params: { endings: ENDINGS, replicas: 1, load: loadNow() },
    value,
    unit: 's',
    goal: { atMost: 2 },
    peer: null,
  };
}
