import { formatDuration, type EpochMs } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import type { EndpointRow } from '@ringfence/protocol/payload';
import type { Command } from '../command.ts';
import { whyShort, type AttemptEnd } from '../job/attempt-end.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

/** A job as it is listed: `endpoint` when it is a replica of one. */
interface ListedJob extends Pick<JobView, 'job' | 'type' | 'state' | 'sensitivity' | 'submittedAt'>, AttemptEnd {
  readonly name: string | null;
  readonly endpoint: { readonly name: string; readonly revision: number; readonly state: string } | null;
}

const NONE = 'no jobs yet: `ringfence job init` writes a job.yaml, `ringfence launch` runs it';

export const command: Command = {
  usage: '',
  summary: 'jobs: names from the custodian, states from the control plane; replicas under their endpoint',
  options: {},
  words: [0, 0],
  async run(context) {
    const jobs = await withSession(context, async ({ custodian, controlPlane }) => {
      const [named, seen, { endpoints }] = await Promise.all([
        custodian.jobs(),
        controlPlane.jobs(),
        custodian.endpoints(),
      ]);
      return seen.map((view) => ({
        ...view,
        name: named.find(({ job }) => job === view.job)?.name ?? null,
        endpoint: endpointOf(endpoints, view.job),
      }));
    });
    context.terminal.value({ jobs });
    const now = context.clock.now();
    context.terminal.line(tableOr(NONE, ['NAME', 'TYPE', 'STATE', 'LABEL', 'ORDERED', 'ID'], rowsOf(jobs, now)));
  },
};

function endpointOf(endpoints: readonly EndpointRow[], job: JobView['job']): ListedJob['endpoint'] {
  for (const { name, replicas } of endpoints) {
    const replica = replicas.find((known) => known.job === job);
    if (replica !== undefined) return { name, revision: replica.revision, state: replica.state };
  }
  return null;
}

/** An endpoint stands where its newest replica does, with all of its replicas below. */
function rowsOf(jobs: readonly ListedJob[], now: EpochMs): string[][] {
  const shown = new Set<string>();
  return jobs.flatMap((job) => {
    if (job.endpoint === null) return [rowOf(job, job.name ?? '?', stateText(job), now)];
    const { name } = job.endpoint;
    if (shown.has(name)) return [];
    shown.add(name);
    const replicas = jobs.filter(({ endpoint }) => endpoint?.name === name);
    const ready = replicas.filter(({ endpoint }) => endpoint?.state === 'ready').length;
    const head = [name, 'endpoint', ready === 0 ? 'none ready' : `${ready} ready`, '', '', ''];
    return [head, ...replicas.map((replica) => replicaRow(replica, now))];
  });
}

/** Why the newest attempt came to nothing, while the job stands where that left it. */
export function stateText(job: Pick<ListedJob, 'state' | 'refusal' | 'stopCause'>): string {
  const why = job.state === 'failed' || job.state === 'queued' ? whyShort(job) : '';
  return why === '' ? job.state : `${job.state} (${why})`;
}

function replicaRow(job: ListedJob, now: EpochMs): string[] {
  const { revision = 0, state = '' } = job.endpoint ?? {};
  const both = job.state === 'running' ? `${job.state}, ${state}` : stateText(job);
  return rowOf(job, `  revision ${revision}`, both, now);
}

function rowOf(
  { type, sensitivity, submittedAt, job }: ListedJob,
  name: string,
  state: string,
  now: EpochMs,
): string[] {
  return [name, type, state, sensitivity, `${formatDuration(Math.max(0, now - submittedAt))} ago`, job];
}
