import type { FreeResources } from '@ringfence/policy';

type Gpus = FreeResources['gpus'];

/** GPU counts by model and memory: `a` plus `sign` times `b`, never below zero. */
export function addGpus(a: Gpus, b: Gpus, sign: 1 | -1): Gpus {
  const sum = a.map((gpu) => ({ ...gpu }));
  for (const gpu of b) {
    const same = sum.find((other) => other.model === gpu.model && other.memoryBytes === gpu.memoryBytes);
    if (same === undefined) sum.push({ ...gpu, count: sign * gpu.count });
    else same.count += sign * gpu.count;
  }
  return sum.map((gpu) => ({ ...gpu, count: Math.max(0, gpu.count) }));
}
