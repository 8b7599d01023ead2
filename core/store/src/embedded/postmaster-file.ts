import { readIfPresent } from '../first-writer.ts';

/** What a server says about itself in `postmaster.pid` of its data folder (PostgreSQL source, miscadmin.h, LOCK_FILE_LINE_*). */
export interface PostmasterFile {
  readonly pid: number;
  readonly data: string;
  readonly socketDir: string;
  /** Id of the System V segment that keeps a second server out as long as one backend lives; 0 before it exists. */
  readonly sharedMemoryId: number;
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | 'unknown';
}

const STATUS = ['starting', 'stopping', 'ready', 'standby'] as const;

/** Parses `postmaster.pid`; undefined when it does not even name a process (it is written line by line). */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const [pid = '', data = '', , , socketDir = '', , segment = '', status = ''] = text.split('\n');
  if (!/^[1-9]\d{0,9}$/.test(pid.trim())) return undefined;
  const id = /^\s*\d+\s+(\d{1,10})\s*$/.exec(segment)?.[1];
  return {
    pid: Number(pid),
    data,
    socketDir,
    sharedMemoryId: Number(id ?? 0),
    status: STATUS.find((name) => name === status.trim()) ?? 'unknown',
  };
}

/** `postmaster.pid` of the data folder, or undefined when there is none or it is not written yet. */
export function readPostmasterFile(data: string): PostmasterFile | undefined {
  const text = readIfPresent(`${data}/postmaster.pid`);
  return text === undefined ? undefined : parsePostmasterFile(text);
}

/** Processes attached to the System V segment `id`, from the text of /proc/sysvipc/shm; 0 when it does not exist. */
export function attachedTo(id: number, sysvipc: string): number {
  const [header = '', ...rows] = sysvipc.trim().split('\n');
  const names = header.trim().split(/\s+/);
  const [idColumn, countColumn] = [names.indexOf('shmid'), names.indexOf('nattch')];
  const row = rows.map((line) => line.trim().split(/\s+/)).find((fields) => fields[idColumn] === String(id));
  return row === undefined ? 0 : Number(row[countColumn] ?? 0);
}
