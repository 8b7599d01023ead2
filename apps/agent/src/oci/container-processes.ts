import { readFileSync } from 'node:fs';

/** How many process namespaces below the agent's own `pid` runs in, by its status (proc_pid_status(5)); null for one that is gone. */
function namespaceDepth(pid: number): number | null {
  try {
    return depthIn(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return null;
  }
}

/** The same from the text of the file. */
function depthIn(status: string): number | null {
  const pids = /^NSpid:((?:\s+[0-9]+)+)$/m.exec(status)?.[1]?.trim().split(/\s+/);
  return pids === undefined ? null : pids.length - 1;
}

/** Depth of the shell and the runtime around a container. */
const AROUND = 1;

/** Which of `members` SIGTERM goes to: the container's own processes, or, for a kernel of its own, the shell that passes it on. */
export function signalled(
  level: 'container' | 'gvisor',
  members: readonly number[],
  { status, depthOf = namespaceDepth }: { status: string; depthOf?: (pid: number) => number | null },
): readonly number[] {
  if (level === 'container') return members.filter((pid) => (depthOf(pid) ?? 0) > AROUND);
  // Before it has said so it does not listen for the signal yet.
  return status.includes('"child-pid"') ? members.filter((pid) => isShell(pid)) : [];
}

function isShell(pid: number): boolean {
  try {
    return /^NSpid:\s+[0-9]+\s+1$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
