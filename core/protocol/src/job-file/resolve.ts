import type { DurationMs } from '@ringfence/base';
import type { Sensitivity } from '../fields.ts';
import { MOST_SERVE_ATTEMPTS } from '../statements/job.ts';
import type { Resources } from '../statements/placement.ts';
import type { JobFile, JobFileFields } from './job-file.ts';
import type { OnPartition } from './lifecycle-fields.ts';
import { looserThan } from './loosening.ts';
import { JobFileError } from './problem.ts';
import { toProblem } from './problem-list.ts';
import type { Spot } from './resource-fields.ts';
import { resolveResources, type ResourceLimits } from './resolve-resources.ts';

/** A job with the defaults filled in that no label has a say in; `privacy` stays as it was wished, for the policy to tighten. */
export interface ResolvedJob extends Omit<JobFileFields, 'resources' | 'onPartition' | 'maxDurationMs'> {
  readonly resources: Resources;
  readonly limits: ResourceLimits;
  readonly spot: Spot;
  readonly maxPrice: JobFileFields['resources']['maxPrice'];
  readonly onPartition: OnPartition;
  readonly maxDurationMs: DurationMs;
  /** Attempts in all, the first among them; a service is tried again for as long as it is wanted. */
  readonly maxAttempts: number;
  /** Replicas at the peak; 1 for everything that is no service. */
  readonly maxReplicas: number;
}

const DAY = 86_400_000;

/** Fills in the defaults of `file`. */
export function resolveJob(file: JobFile): ResolvedJob {
  const { resources: wishes, ...same } = file;
  const serves = file.type === 'serve';
  return {
    ...same,
    ...resolveResources(wishes),
    spot: wishes.spot ?? (file.retry.on.includes('interruption') ? 'auto' : 'never'),
    maxPrice: wishes.maxPrice,
    onPartition: file.onPartition ?? (serves ? 'keep' : 'stop'),
    maxDurationMs: file.maxDurationMs ?? ((serves ? 365 * DAY : DAY) as DurationMs),
    maxAttempts: serves ? MOST_SERVE_ATTEMPTS : 1 + file.retry.max,
    maxReplicas: file.service?.replicas.max ?? 1,
  };
}

/**
 * Refuses a file that asks for less than the label of its data demands, with the places in the file; residency, which needs more than
 * the file, is the policy's to check. Throws JobFileError `looser-than-label`.
 */
export function requireLabel(file: JobFile, sensitivity: Sensitivity): void {
  const found = looserThan(file.privacy, sensitivity);
  if (found.length > 0) throw new JobFileError(found.map((finding) => toProblem(finding)));
}
