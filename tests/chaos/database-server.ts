// The PostgreSQL server of a role, found by the files that it keeps; looking never starts one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Process of the server of the role whose state folder this is, or undefined when none runs. */
export function databasePid(state: string): number | undefined {
  const marker: unknown = JSON.parse(readFileSync(join(state, 'database/embedded.json'), 'utf8'));
  if (typeof marker !== 'object' || marker === null || !('cluster' in marker) || typeof marker.cluster !== 'string')
    throw new Error('the marker of the database names no cluster');
  const file = join(marker.cluster, 'data/postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : Number.NaN;
  return Number.isSafeInteger(pid) && statOf(pid)?.name === 'postgres' ? pid : undefined;
}

/** The server and every process that it started. */
export function databaseProcesses(server: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === server);
  return [server, ...children];
}

function statOf(pid: number): { name: string; parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = text.lastIndexOf(')');
    return { name: text.slice(text.indexOf('(') + 1, end), parent: Number(text.slice(end + 2).split(' ')[1]) };
  } catch {
    // Gone meanwhile.
    return undefined;
  }
}
