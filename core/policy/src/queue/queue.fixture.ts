import { epochMs, newId, seededRng, type JobId, type OfferId } from '@ringfence/base';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { placement, START } from '../burst/burst.fixture.ts';
import type { HomeMachine, QueuedJob } from '../burst/predicted-wait.ts';
import type { Take } from '../placement/take.ts';

const rng = seededRng('queue');

/** Ids that are the same in each run. */
export const JOBS: readonly JobId[] = Array.from({ length: 64 }, () => newId('job', rng)).toSorted();
export const OFFERS: readonly OfferId[] = Array.from({ length: 8 }, () => newId('offer', rng)).toSorted();

/** One of the fixed ids. */
export function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError('the fixture has fewer');
  return found;
}

/** So many CPUs and as many gigabytes. */
export function takeOfSize(cpus: number, gigabytes = 1): Take {
  return { cpuMilli: cpus * 1_000, memoryBytes: gigabytes * 1e9, diskBytes: 0 };
}

/** A job of so many CPUs that runs so many minutes. */
export function sized(cpus: number, minutes = 60, gigabytes = 1): PlacementPart {
  const resources = { ...placement().resources, cpuMilli: cpus * 1_000, memoryBytes: gigabytes * 1e9, diskBytes: 0 };
  return placement({ resources, maxDurationMs: minutes * 60_000 });
}

/** A machine with so many CPUs free, on which jobs of so many CPUs end after so many minutes. */
export function machine(
  offer: OfferId,
  freeCpus: number,
  running: readonly (readonly [number, number])[] = [],
): HomeMachine {
  return {
    offer,
    free: { cpuMilli: freeCpus * 1_000, memoryBytes: 1e12, diskBytes: 0, gpus: [] },
    running: running.map(([cpus, minutes]) => ({ take: takeOfSize(cpus), endsBy: epochMs(START + minutes * 60_000) })),
  };
}

/** A job in the queue. */
export function waiting(index: number, cpus: number, { minutes = 60, machines = OFFERS } = {}): QueuedJob {
  return { job: at(JOBS, index), placement: sized(cpus, minutes), machines, expectedMs: minutes * 60_000 };
}
