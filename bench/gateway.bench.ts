import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sandboxWorks, type House } from '../scripts/house/index.ts';
import type { CallersOptions, CallersResult } from './gateway/callers.ts';
import {
  launchService,
  must,
  startServingHouse,
  TRIVIAL_SERVICE,
  type ServedEndpoint,
} from './gateway/served-house.ts';
import { overRepeats, percentile, type Repeated } from './measure.ts';
import { unpackRelease } from './release.ts';
import type { Row } from './row.ts';

export const description = 'requests through the gateway to a trivial replica, what it adds, and a start from zero';

const TICKS_PER_S = 100;
const REPEATS = 3;
const SECONDS = 5;
const CONNECTIONS = 32;
const PACED = { connections: 8, perSecond: 400, seconds: 8 };
const COLD_STARTS = 11;
const JOB_FILE = `name: trivial
type: serve
run: exec node serve.mjs
resources: {cpus: 1, memory: 128MB}
service: {port: 8000, replicas: 0..1, scaling: {metric: concurrency, target: 64}, probe: /}
`;

/** `requests_per_s` and its wall figure, `added_p50_ms`, `added_p99_ms`, `cold_start_p50_ms`. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-gateway-'));
  const entries = { kind: 'bundle', folder: unpackRelease(root) } as const;
  const served = await startServingHouse({ root: join(root, 'house'), agents: 1, entries });
  try {
    const service = { folder: join(root, 'job'), program: TRIVIAL_SERVICE, jobFile: JOB_FILE, name: 'trivial' };
    const endpoint = await launchService(served, service);
    yield* throughput(served.house, endpoint);
    yield* added(root, endpoint);
    yield await coldStart(served.house, endpoint);
  } finally {
    await served.house.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** On one core: requests for each second of CPU that the gateway's process took, all its threads together. */
async function* throughput(house: House, endpoint: ServedEndpoint): AsyncGenerator<Row> {
  const { pid } = house.process('agent-1');
  const [perCpuS, perWallS]: [number[], number[]] = [[], []];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const before = cpuTicks(pid);
    const { all, perSecond, failed } = await callers({
      ...callOf(endpoint),
      connections: CONNECTIONS,
      seconds: SECONDS,
    });
    if (failed > 0) throw new Error(`${failed} requests failed`);
    perCpuS.push((all / (cpuTicks(pid) - before)) * TICKS_PER_S);
    perWallS.push(perSecond);
  }
  const params = (of: Repeated) => ({ connections: CONNECTIONS, tls: true, spread_percent: of.spreadPercent });
  const [cpu, wall] = [overRepeats(perCpuS), overRepeats(perWallS)];
  const goal = { atLeast: 8_000 };
  yield { name: 'requests_per_s', params: params(cpu), value: cpu.median, unit: '1/s of CPU', goal, peer: null };
  yield { name: 'requests_per_wall_s', params: params(wall), value: wall.median, unit: '1/s', goal: null, peer: null };
}

/** Over the same program on the machine itself, called without TLS, at a rate that neither has trouble with. */
async function* added(root: string, endpoint: ServedEndpoint): AsyncGenerator<Row> {
  const port = endpoint.port + 1;
  const program = join(root, 'direct.mjs');
  writeFileSync(program, TRIVIAL_SERVICE.replace('8000', String(port)));
  const direct = spawn(process.execPath, [program], { stdio: 'ignore' });
  try {
    const differences: { p50: number[]; p99: number[] } = { p50: [], p99: [] };
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      const plain = await callers({ port, path: '/', ...PACED });
      const through = await callers({ ...callOf(endpoint), ...PACED });
      differences.p50.push(through.p50 - plain.p50);
      differences.p99.push(through.p99 - plain.p99);
    }
    for (const name of ['p50', 'p99'] as const) {
      const value = percentile(differences[name], 0.5);
      const params = { per_s: PACED.perSecond, repeats: REPEATS };
      const goal = name === 'p99' ? { atMost: 3 } : null;
      yield { name: `added_${name}_ms`, params, value, unit: 'ms', goal, peer: null };
    }
  } finally {
    direct.kill();
  }
}

/** From a request at an endpoint without a replica to its whole answer: held, lease, grant, sandbox, probe, forwarded. */
async function coldStart(house: House, endpoint: ServedEndpoint): Promise<Row> {
  const times: number[] = [];
  for (let start = 0; start < COLD_STARTS; start += 1) {
    await must(house, ['endpoint', 'scale', endpoint.name, '0']);
    await untilParked(house, endpoint.name);
    await must(house, ['endpoint', 'scale', endpoint.name, 'auto']);
    const from = performance.now();
    await once(endpoint);
    times.push(performance.now() - from);
  }
  const params = { starts: COLD_STARTS, isolation: sandboxWorks() ? 'sandbox' : 'process' };
  const value = percentile(times, 0.5);
  return { name: 'cold_start_p50_ms', params, value, unit: 'ms', goal: { atMost: 800 }, peer: null };
}

async function untilParked(house: House, name: string): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    const { endpoints } = JSON.parse(await must(house, ['endpoint', 'ls', '--json'])) as {
      endpoints: { name: string; replicas: { state: string }[] }[];
    };
    const replicas = endpoints.find((endpoint) => endpoint.name === name)?.replicas ?? [];
    if (replicas.every(({ state }) => state === 'parked')) return;
  }
  throw new Error('the replica was not parked');
}

/** The gateway may not have heard yet that the endpoint is no longer scaled to 0. */
const MOST_TRIES = 100;

function once(endpoint: ServedEndpoint, tries = MOST_TRIES): Promise<void> {
  const { port, ca, token, name } = endpoint;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request({ host: '127.0.0.1', port, ca, servername: '', path: `/${name}/`, headers, agent: false });
    asked.on('response', (answer) => {
      answer.resume();
      if (answer.statusCode === 200) answer.once('end', resolve);
      else if (answer.headers['ringfence-refusal'] === 'scaled-to-zero' && tries > 0)
        once(endpoint, tries - 1).then(resolve, reject);
      else reject(new Error(`status ${answer.statusCode}`));
    });
    asked.on('error', reject).end();
  });
}

function callOf({ port, ca, token, name }: ServedEndpoint): Pick<CallersOptions, 'port' | 'ca' | 'token' | 'path'> {
  return { port, ca, token, path: `/${name}/` };
}

async function callers(options: CallersOptions): Promise<CallersResult> {
  const program = join(import.meta.dirname, 'gateway/callers.ts');
  const running = promisify(execFile)(process.execPath, [program]);
  running.child.stdin?.end(JSON.stringify(options));
  const { stdout } = await running;
  return JSON.parse(stdout) as CallersResult;
}

/** User and system time of a process with all its threads. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
