import { join } from 'node:path';
import { cardValues } from '../gpu/card-values.ts';
import { AttemptMetrics } from '../job-metrics/attempt-metrics.ts';
import { jobReporting } from '../job-metrics/job-reporting.ts';
import { MetricPipe } from '../job-metrics/metric-pipe.ts';
import type { LinkContext } from '../link/link-context.ts';
import { bytesIn } from '../sandbox/disk-watch.ts';
import type { Running, SandboxSpec } from '../sandbox/index.ts';
import type { AttemptWork } from './attempt-work.ts';
import { jobUser } from './lay-out.ts';

/** Makes what a job reports its metrics through, and returns `spec` with it. */
export async function withMetrics(context: LinkContext, work: AttemptWork, spec: SandboxSpec): Promise<SandboxSpec> {
  const { clock, machine } = context;
  if (work.folder === undefined) throw new TypeError('only a prepared attempt reports');
  const pipe = await MetricPipe.make(join(work.folder, 'metrics'), jobUser(context, spec.slot));
  const take = (bytes: number): boolean => machine.logQuota.take(work.kept, bytes);
  work.metrics = new AttemptMetrics(work.kept.metricsPath, { pipe, clock, take });
  const { mounts, env } = jobReporting({ pipe: pipe.folder, sdk: machine.sdk, level: spec.level }, spec.env);
  return { ...spec, env, mounts: [...spec.mounts, ...mounts] };
}

/** Measures a job from its start to its end. */
export function measure({ machine }: LinkContext, work: AttemptWork, { mounts }: SandboxSpec, running: Running): void {
  const written = mounts.filter(({ mode }) => mode === 'rw').map(({ hostPath }) => hostPath);
  work.metrics?.watch({
    now: running.now,
    diskBytes: () => bytesIn(written, Number.POSITIVE_INFINITY),
    cards: () => cardValues(machine.gpus, work.place?.cards ?? []),
  });
}
