import { formatDuration } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';

/** When and why a job that backs off is tried again, in words. */
export function retryText({ at, reason }: NonNullable<JobView['retry']>, now: number): string {
  if (reason === 'no-capacity')
    return `tried again when a machine changes, in ${formatDuration(Math.max(0, at - now))} at the latest: ${reason}`;
  return at <= now ? `tried again now: ${reason}` : `tried again in ${formatDuration(at - now)}: ${reason}`;
}
