import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeSync } from 'node:fs';

/** Makes a cgroup; its files come with it. */
export function makeCgroupFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
}

/** Writes one value of a cgroup file, in one write as the kernel wants it. Write-only: so is cgroup.kill to its owner. */
export function writeControl(folder: string, file: string, value: string | number): void {
  const control = openSync(`${folder}/${file}`, constants.O_WRONLY);
  try {
    writeSync(control, String(value));
  } finally {
    closeSync(control);
  }
}

/** The first of `folders` that has `file`, or null. */
export function folderWith(folders: readonly string[], file: string): string | null {
  return folders.find((folder) => existsSync(`${folder}/${file}`)) ?? null;
}

/** The text of `file` in the first folder that has it, or null. */
export function readControl(folders: readonly string[], file: string): string | null {
  const folder = folderWith(folders, file);
  try {
    return folder === null ? null : readFileSync(`${folder}/${file}`, 'utf8');
  } catch {
    return null;
  }
}

/** A file that holds one number, or null. */
export function readNumber(folders: readonly string[], file: string): number | null {
  const text = readControl(folders, file);
  const value = text === null ? Number.NaN : Number(text.trim());
  return Number.isFinite(value) && text?.trim() !== '' ? value : null;
}

/** The number behind `key` in a file of `key value` lines, or null. */
export function readEntry(folders: readonly string[], file: string, key: string): number | null {
  const line = readControl(folders, file)
    ?.split('\n')
    .find((candidate) => candidate.startsWith(`${key} `));
  const value = Number(line?.slice(key.length + 1));
  return line === undefined || !Number.isFinite(value) ? null : value;
}

/** Every process in any of `folders`, each once. */
export function listProcesses(folders: readonly string[]): readonly number[] {
  const pids = folders.flatMap((folder) =>
    (readControl([folder], 'cgroup.procs') ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  );
  return [...new Set(pids)];
}

/** Sends SIGKILL to every process in `folders`; with forking forbidden first, a second pass finds nobody new. */
export function killProcesses(folders: readonly string[]): void {
  const pidsFolder = folderWith(folders, 'pids.max');
  if (pidsFolder !== null) writeControl(pidsFolder, 'pids.max', 0);
  for (const pid of listProcesses(folders)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone since it was listed
    }
  }
}

/** Removes cgroups; false while one is busy. A folder that is gone counts as removed. */
export function removeFolders(folders: readonly string[]): boolean {
  const removed = folders.map((folder) => {
    try {
      rmdirSync(folder);
      return true;
    } catch {
      return !existsSync(folder);
    }
  });
  return removed.every(Boolean);
}
