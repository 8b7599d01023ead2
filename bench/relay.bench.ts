import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { roleCommand, text } from '../scripts/house/index.ts';
import { startProcess } from '../scripts/house/started-process.ts';
import { cpuSeconds, residentBytes } from './control-plane/process-cost.ts';
import { overRepeats } from './measure.ts';
import type { Answer, Ask } from './relay/peers.ts';
import type { Row } from './row.ts';

export const description = 'bytes through one core of a relay, and the memory of connections that wait for a call';

const LINKS = 4;
const REPEATS = 5;
const STREAM_S = 3;
const LISTENERS = 3_000;
const LIMITS = ['--max-connections', '9999', '--max-connections-per-client', '9999', '--log-level', 'warn'];

/** `gb_per_s` for each second of the relay's CPU and of wall time, `connections_per_gb` of its resident memory. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-relay-'));
  const args = ['run', '--state', join(root, 'relay'), '--listen', '127.0.0.1:0', ...LIMITS];
  const relay = await startProcess({ name: 'relay', root, command: roleCommand({ kind: 'source' }, 'relay', args) });
  const peers = fork(join(import.meta.dirname, 'relay/peers.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const server = { url: text(relay, 'url'), caFile: text(relay, 'ca_file') };
  try {
    const before = residentBytes(relay.pid);
    const { open } = await ask(peers, { kind: 'listen', ...server, count: LISTENERS });
    if (open < LISTENERS) throw new Error(`only ${open} of ${LISTENERS} listeners came up`);
    const each = (residentBytes(relay.pid) - before) / open;
    const memory = {
      connections: open,
      kb_each: Math.round(each / 1e3),
      before_mb: Math.round(before / 1e6),
      ...load(),
    };
    yield {
      name: 'connections_per_gb',
      params: memory,
      value: 1e9 / each,
      unit: 'connections',
      goal: null,
      peer: null,
    };
    await ask(peers, { kind: 'drop' });
    await ask(peers, { kind: 'links', ...server, count: LINKS });
    yield* throughput(relay.pid, peers);
  } finally {
    peers.kill('SIGKILL');
    await relay.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Both ends share one other process; what the relay took of a core is what counts, whoever else ran. */
async function* throughput(pid: number, peers: ChildProcess): AsyncGenerator<Row> {
  const [perCpuS, perWallS]: [number[], number[]] = [[], []];
  await ask(peers, { kind: 'stream', seconds: 1 });
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const [cpu, from] = [cpuSeconds(pid), performance.now()];
    const { bytes } = await ask(peers, { kind: 'stream', seconds: STREAM_S });
    perCpuS.push(bytes / 1e9 / (cpuSeconds(pid) - cpu));
    perWallS.push(bytes / 1e9 / ((performance.now() - from) / 1_000));
  }
  for (const [name, values, unit] of [
    ['gb_per_s', perCpuS, 'GB/s of CPU'],
    ['gb_per_wall_s', perWallS, 'GB/s'],
  ] as const) {
    const { median, spreadPercent } = overRepeats(values);
    const params = { links: LINKS, message_bytes: 65_536, spread_percent: spreadPercent, ...load() };
    yield { name, params, value: median, unit, goal: null, peer: null };
  }
}

function load(): { load: number } {
  return { load: Math.round(loadavg()[0] ?? 0) };
}

function ask(peers: ChildProcess, question: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the peers’ process ended'));
    peers.once('exit', gone);
    peers.once('message', (answer) => {
      peers.off('exit', gone);
      resolve(answer as Answer);
    });
    peers.send(question);
  });
}
