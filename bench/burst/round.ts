// One round of burst and return in a house whose home is one machine, and whose market is another.
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { JobId } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import type { CommandContext } from '../../apps/cli/src/command.ts';
import { orderJobs } from '../../apps/cli/src/job/order-jobs.ts';
import { labelJob, readJob } from '../../apps/cli/src/job/prepared-job.ts';
import type { Session } from '../../apps/cli/src/session.ts';
import type { House } from '../../scripts/house/index.ts';

/** What a round is made with. */
export interface BurstHouse {
  readonly house: House;
  readonly root: string;
  readonly context: CommandContext;
  readonly session: Session;
}

/** Seconds from the moment at which a job waits too long to it running away from home, and from the end of the load to all being back. */
export interface RoundTimes {
  readonly toRunning: number;
  readonly back: number;
}

const HOLDS = "trap 'exit 143' TERM\nwhile :; do sleep 0.1; done";
/** Says when it runs; asked to stop it writes its checkpoint, and with one it is done. */
const LEAVES = `date +%s%3N
[ -f /out/ckpt/step ] && exit 0
trap 'echo 1 > /out/ckpt/step; exit 143' TERM
while :; do sleep 0.1; done`;
const MAY_LEAVE = 'privacy: {sensitivity: internal, logs: sealed}';

/**
 * Fills home, orders a job that leaves and one that waits behind it, then lets home become empty: the one that waits runs there, the other one
 * comes back, and its machine is given back.
 */
export async function burstRound(of: BurstHouse, round: number): Promise<RoundTimes> {
  const { controlPlane } = of.session;
  const state = async (job: JobId): Promise<string> => (await controlPlane.job(job)).state;
  const isIn = (job: JobId, wanted: string) => async (): Promise<boolean> => (await state(job)) === wanted;
  const holds = await order(of, `holds-${round}`, HOLDS, 'privacy: {place: {tiers: [private]}}');
  await until(isIn(holds, 'running'), 'home is full');
  const retry = 'retry: {on: [interruption], max: 5, checkpoint: /out/ckpt}';
  const name = `leaves-${round}`;
  const leaves = await order(of, name, LEAVES, `outputs: {/out: {artifact: ${name}}}\n${retry}\n${MAY_LEAVE}`);
  await until(isIn(leaves, 'running'), 'it leaves');
  // For as long as somebody waits, the gate stays open.
  const waits = await order(of, `waits-${round}`, 'true', MAY_LEAVE);
  const { submittedAt, attempts } = await controlPlane.job(leaves);
  const ran = await saidAt(of.house, name);
  await controlPlane.stop(holds, 0);
  const fell = Date.now();
  await until(isIn(waits, 'succeeded'), 'home takes who waits');
  await until(async () => (await controlPlane.pool()).offers.length === 0 && (await state(leaves)) === 'succeeded');
  const back = Date.now();
  const after = (await controlPlane.job(leaves)).attempts;
  if (after.at(-1)?.agent === attempts.at(-1)?.agent) throw new Error('the job did not come back');
  return { toRunning: (ran - submittedAt) / 1_000, back: (back - fell) / 1_000 };
}

async function order({ root, context, session }: BurstHouse, name: string, run: string, more: string): Promise<JobId> {
  const folder = join(root, name);
  mkdirSync(folder);
  const file = join(folder, 'job.yaml');
  const head = `name: ${name}\nmax_duration: 1h\nresources: {cpus: ${availableParallelism()}, memory: 64MB}\n`;
  const lines = run.split('\n').map((line) => `  ${line}\n`);
  writeFileSync(file, `${head}run: |\n${lines.join('')}${more}\n`);
  const labelled = await labelJob(context, session, readJob(file, { leaveOut: [], terminal: context.terminal }));
  await orderJobs(context, session, [labelled]);
  return labelled.id;
}

/** The moment that the first attempt of a job said. */
async function saidAt(house: House, name: string): Promise<number> {
  let said: string | undefined;
  await until(async () => {
    said = /\d{13}/.exec((await house.cli(['logs', name, '--attempt', '1'])).stdout)?.[0];
    return said !== undefined;
  }, 'it says when it began');
  return Number(said);
}
