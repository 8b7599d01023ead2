import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHouse } from '../scripts/house/index.ts';
import { unpackRelease } from './release.ts';
import type { Goal, Row } from './row.ts';

export const description = 'resident memory and CPU of each role’s release bundle after 60 idle seconds';

const IDLE_MS = 60_000;
const TICKS_PER_S = 100;
const NAMES = {
  control_plane_mb: 'control-plane',
  custodian_mb: 'custodian',
  relay_mb: 'relay',
  agent_mb: 'agent-1',
} as const;
const GOALS: Readonly<Partial<Record<string, Goal>>> = { agent_mb: { atMost: 90 } };

/** `control_plane_mb`, `custodian_mb`, `relay_mb`, `agent_mb`, `agent_cpu_percent`; databases are not counted. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-idle-'));
  const house = await startHouse({
    root: join(root, 'house'),
    agents: 1,
    entries: { kind: 'bundle', folder: unpackRelease(root) },
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    for (const [name, role] of Object.entries(NAMES))
      yield row(name, residentMb(house.process(role).pid), 'MB', GOALS[name] ?? null);
    const agent = house.process('agent-1').pid;
    const before = cpuTicks(agent);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const percent = ((cpuTicks(agent) - before) / TICKS_PER_S / (IDLE_MS / 1000)) * 100;
    yield row('agent_cpu_percent', percent, '%', { atMost: 0.5 });
  } finally {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

function row(name: string, value: number, unit: string, goal: Goal | null): Row {
  return { name, params: { idle_s: IDLE_MS / 1000 }, value, unit, goal, peer: null };
}

function residentMb(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
