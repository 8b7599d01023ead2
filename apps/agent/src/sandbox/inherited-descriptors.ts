import { closeSync, readFileSync, readdirSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2_000_000;

/**
 * Closes what this process inherited from whoever started it and would pass on to every job: descriptors above 2 without
 * close-on-exec. Node opens its own with that flag. Returns how many were closed.
 */
export function closeInheritedDescriptors(): number {
  let closed = 0;
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2 || !survivesExec(fd) || fd === channelFd()) continue;
    closeSync(fd);
    closed += 1;
  }
  return closed;
}

function survivesExec(fd: number): boolean {
  try {
    const flags = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').match(/^flags:\s+([0-7]+)$/m)?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false;
  }
}

/** The channel of a process that was started by fork(); the child of a job never sees it because jobs reuse its number. */
function channelFd(): number | null {
  const channel: unknown = process.channel;
  return typeof channel === 'object' && channel !== null && 'fd' in channel && typeof channel.fd === 'number'
    ? channel.fd
    : null;
}
