import type { Resources } from '../statements/placement.ts';
import type { ResourceWishes } from './resource-fields.ts';

/** What a job may use at most; undefined where its file leaves the end open. */
export interface ResourceLimits {
  readonly cpuMilli: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly diskBytes: number | undefined;
}

const LEAST = { cpuMilli: 1000, memoryBytes: 1e9, diskBytes: 1e9 } as const;

/** What a job asks of a machine, and where it is cut off; what the file leaves out is `1+`, `1GB+` and `1GB+`. */
export function resolveResources(wishes: ResourceWishes): { resources: Resources; limits: ResourceLimits } {
  const { gpu } = wishes;
  const limits = {
    cpuMilli: wishes.cpuMilli?.max,
    memoryBytes: wishes.memoryBytes?.max,
    diskBytes: wishes.diskBytes?.max,
  };
  const resources = {
    cpuMilli: wishes.cpuMilli?.min ?? LEAST.cpuMilli,
    memoryBytes: wishes.memoryBytes?.min ?? LEAST.memoryBytes,
    diskBytes: wishes.diskBytes?.min ?? LEAST.diskBytes,
    gpus:
      gpu === undefined
        ? undefined
        : { model: gpu.model, memoryBytes: gpu.memoryBytes?.min ?? 0, count: gpu.count.min },
    // A memory limit with a closed end is one that the kernel has to enforce.
    hardLimits: limits.memoryBytes !== undefined,
  };
  return { resources, limits };
}
