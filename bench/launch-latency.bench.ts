import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxWorks, startHouse, type House } from '../scripts/house/index.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from './disk.ts';
import { orderTimes } from './launch-latency/order-times.ts';
import { stageMedians } from './launch-latency/stages.ts';
import { percentile } from './measure.ts';
import { unpackRelease } from './release.ts';
import type { Row } from './row.ts';

export const description = 'API call to exec of the user’s process on a warm agent, and the same from the shell';

const WARM_UP = 3;
const ORDERS = 60;
const SHELL_ORDERS = 12;
const DEBUG = { RINGFENCE_LOG_LEVEL: 'debug' };
const PEER = 'dstack 85 s on a ready fleet; Kuscia about 10 s (their own reports)';

/** `p50_ms`, `p99_ms`, `cli_p50_ms`, the median of each stage (`stage_…_ms`), with the disk's rate. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-latency-'));
  const disk = await diskFdatasyncPerS();
  const folder = unpackRelease(root);
  const entries = { kind: 'bundle', folder } as const;
  const house = await startHouse({ root: join(root, 'house'), agents: 1, entries, env: { 'agent-1': DEBUG } });
  try {
    const isolation = sandboxWorks() ? 'sandbox' : 'process';
    const jobFile = writeJob(root);
    await orderTimes(house, jobFile, WARM_UP);
    const orders = await orderTimes(house, jobFile, ORDERS);
    const times = orders.map(({ called, runs }) => runs - called);
    const goal = (limit: number) => durableGoal({ atMost: limit }, disk.median);
    const params = { orders: ORDERS, isolation };
    yield { name: 'p50_ms', params, value: percentile(times, 0.5), unit: 'ms', goal: goal(150), peer: PEER };
    yield { name: 'p99_ms', params, value: percentile(times, 0.99), unit: 'ms', goal: goal(500), peer: null };
    for (const [stage, value] of Object.entries(stageMedians(house.process('agent-1').logFile, orders)))
      yield { name: `stage_${stage}_ms`, params, value, unit: 'ms', goal: null, peer: null };
    const shell = await shellTimes(house, join(folder, 'bin/ringfence'), jobFile);
    yield {
      name: 'cli_p50_ms',
      params: { orders: SHELL_ORDERS, isolation },
      value: percentile(shell, 0.5),
      unit: 'ms',
      goal: goal(800),
      peer: null,
    };
    yield diskRow(disk);
  } finally {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** The user's process is `date`: the first thing that it does is to say when it runs. */
function writeJob(root: string): string {
  mkdirSync(join(root, 'work'));
  const file = join(root, 'work/job.yaml');
  writeFileSync(file, 'name: latency\nrun: exec date +%s%3N\nresources: {cpus: 1, memory: 64MB}\n');
  return file;
}

async function shellTimes(house: House, program: string, jobFile: string): Promise<number[]> {
  const times: number[] = [];
  for (let order = 0; order < SHELL_ORDERS; order += 1) {
    const from = Date.now();
    const output = await shell(house, [program, 'launch', '-y', '--json', jobFile]);
    const line = output.split('\n').find((text) => text.includes('"log"'));
    if (line === undefined) throw new Error('the job said nothing');
    times.push(Number((JSON.parse(line) as { text: string }).text) - from);
  }
  return times;
}

/** As a person runs it: the release's launcher, from nothing. */
function shell(house: House, [program, ...args]: [string, ...string[]]): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, RINGFENCE_HOME: house.home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`launch ended with ${code}`))));
  });
}
