import type { GrantPayload } from '@ringfence/protocol/payload';

/** Where a job keeps its checkpoint: which of its outputs, and the steps of the folder in it. */
export interface CheckpointPlace {
  readonly output: number;
  readonly steps: readonly string[];
}

/** The place that the workload names; undefined without a checkpoint, or when it lies in no output. */
export function checkpointPlace({
  workload,
  outputs,
}: Pick<GrantPayload, 'workload' | 'outputs'>): CheckpointPlace | undefined {
  const path = workload.checkpoint;
  if (path === undefined) return undefined;
  const output = outputs.findIndex((candidate) => path === candidate.path || path.startsWith(`${candidate.path}/`));
  const found = outputs[output];
  if (found === undefined) return undefined;
  return {
    output,
    steps: path
      .slice(found.path.length)
      .split('/')
      .filter((step) => step !== ''),
  };
}
