// Small jobs, one after another in a few lanes, whatever happens; it remembers what it was promised and what it was shown.
import { RingfenceError } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import { readLog, withAgent } from '../../apps/cli/src/job/agent-client.ts';
import { orderJob, type Ordered } from '../kill/order.ts';
import type { ChaosHouse } from './chaos-house.ts';

/** Lines that each job prints. */
export const LINES = 10;
const RUN = `i=1; while [ $i -le ${LINES} ]; do echo line-$i; i=$((i+1)); sleep 0.1; done; echo $KILLMARK > /out/result`;
const RETRY = '{on: [interruption, no-capacity, error], max: 99}';
const LANES = 3;
const LOOK_EVERY_MS = 400;
const OVER: readonly JobView['state'][] = ['succeeded', 'failed', 'cancelled'];

/** What a follower of one attempt was shown. */
export interface Shown {
  readonly attempt: number;
  readonly lines: string[];
}

/** A job that custodian and control plane have both taken. */
export interface Promised extends Ordered {
  view: JobView | undefined;
  readonly shown: Shown[];
}

/** The jobs of one batch. */
export interface Workload {
  readonly promised: Promised[];
  /** Orders that were refused or never answered: nobody was promised anything. */
  readonly refused: string[];
  /** Orders no more; resolves when all that were taken are over, or at the deadline (milliseconds from now). */
  drain(within: number): Promise<void>;
}

/** Begins to order. */
export function startWorkload(chaos: ChaosHouse, root: string): Workload {
  const promised: Promised[] = [];
  const refused: string[] = [];
  let ordering = true;
  let deadline = Number.POSITIVE_INFINITY;
  const late = (): boolean => performance.now() > deadline;
  const lane = async (): Promise<void> => {
    while (ordering) {
      const ordered = await orderJob({ ...chaos, root }, { run: RUN, retry: RETRY }).catch((error: unknown) => {
        // Said by a process of the house, or by the client for its sake; anything else is a fault of ours.
        if (!(error instanceof RingfenceError)) throw error;
        refused.push(String(error).split('\n')[0] ?? '');
        return undefined;
      });
      if (ordered === undefined) {
        await pause(LOOK_EVERY_MS);
        continue;
      }
      const job: Promised = { ...ordered, view: undefined, shown: [] };
      promised.push(job);
      await untilOver(chaos, job, late);
    }
  };
  const lanes = Promise.all(Array.from({ length: LANES }, lane));
  // Thrown when it is drained.
  lanes.catch(() => {});
  return {
    promised,
    refused,
    async drain(within) {
      ordering = false;
      deadline = performance.now() + within;
      await Promise.race([lanes, pause(within)]);
    },
  };
}

async function untilOver(chaos: ChaosHouse, job: Promised, late: () => boolean): Promise<void> {
  while (!late()) {
    const view = await chaos.session.controlPlane.job(job.job).catch(() => undefined);
    if (view !== undefined) job.view = view;
    if (view !== undefined && OVER.includes(view.state)) return;
    follow(chaos, job, view);
    await pause(LOOK_EVERY_MS);
  }
}

/** Follows an attempt that runs and is not followed yet; what breaks the link ends it. */
function follow(chaos: ChaosHouse, job: Promised, view: JobView | undefined): void {
  const running = view?.attempts.find(({ state }) => state === 'running');
  if (running === undefined || job.shown.some(({ attempt }) => attempt === running.attempt)) return;
  const shown: Shown = { attempt: running.attempt, lines: [] };
  job.shown.push(shown);
  withAgent(chaos.context, chaos.session, running.agent, async (link) => {
    for await (const line of readLog(link, { job: job.job, attempt: running.attempt, from: 0, follow: true }))
      if (line.kind === 'line') shown.lines.push(line.text);
  }).catch(() => {});
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
