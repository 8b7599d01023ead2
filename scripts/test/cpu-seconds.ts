import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 500;
/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Follows `pid`; the returned function stops it and says what the process and the children that it waited for had used, in seconds. */
export function cpuSeconds(pid: number): () => number {
  let last = 0;
  const look = (): void => void (last = Math.max(last, usedBy(pid)));
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    return last;
  };
}

/** Fields 14 to 17 of /proc/PID/stat (proc_pid_stat(5)); 0 for a process that has gone. */
function usedBy(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
