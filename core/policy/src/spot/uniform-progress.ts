/** A job with a deadline; all in milliseconds. */
export interface SpotJob {
  /** What it takes on a machine that is never lost, its checkpoints included. */
  readonly workMs: number;
  /** From its beginning. */
  readonly deadlineMs: number;
  /** What a change of machine costs, in which nothing is done. */
  readonly changeoverMs: number;
  /** The most that a loss undoes: an interval between checkpoints and the checkpoint. */
  readonly atRiskMs: number;
  /** How long until the next look, if nothing happens. */
  readonly lookMs: number;
}

/** How a job stands at a look. */
export interface SpotView {
  readonly elapsedMs: number;
  /** Work that a loss does not undo. */
  readonly safeMs: number;
  /** Its end is seen, also if its last work is in no checkpoint. */
  readonly done: boolean;
  readonly on: Machine;
  /** A spot machine can be had; while on one: it was not taken away. */
  readonly spotThere: boolean;
  /** The safety net has spoken: on demand until the end. */
  readonly committed: boolean;
}

/** What a job runs on. */
export type Machine = 'idle' | 'spot' | 'on-demand';

/** Where a job goes, by which rule of Wu et al., NSDI 2024, §3.3 and §5.2.2. */
export interface SpotChoice {
  readonly on: Machine;
  readonly rule:
    | 'thrifty'
    | 'safety-net'
    | 'exploitation'
    | 'taking-risks'
    | 'uniform-progress'
    | 'hysteresis'
    | 'wait';
  readonly committed: boolean;
}

/**
 * Uniform Progress (Wu et al., "Can't Be Late", NSDI 2024, §5.2.2): spot whenever it is there, on demand when less is done than an even pace would have done, and on demand to the end while
 * there is just time for that. Differs where a loss undoes work: progress is what no loss undoes, and the safety net leaves room for what one does.
 */
export function chooseMachine(job: SpotJob, view: SpotView): SpotChoice {
  const { committed, done, on, spotThere } = view;
  if (done) return { on: 'idle', rule: 'thrifty', committed };
  if (committed) return { on: 'on-demand', rule: 'safety-net', committed };
  // Entered with room for the worst that can follow, so a spot machine is kept until it is lost.
  if (on === 'spot' && spotThere) return { on: 'spot', rule: 'exploitation', committed };
  if (!hasSlack(job, view)) return { on: 'on-demand', rule: 'safety-net', committed: true };
  if (on === 'on-demand' && view.safeMs < evenPace(job, view.elapsedMs + 2 * job.changeoverMs))
    return { on: 'on-demand', rule: 'hysteresis', committed };
  if (spotThere) return { on: 'spot', rule: 'taking-risks', committed };
  if (view.safeMs < evenPace(job, view.elapsedMs)) return { on: 'on-demand', rule: 'uniform-progress', committed };
  return { on: 'idle', rule: 'wait', committed };
}

/** Whether there is time for a change to spot, its loss, and a change to on demand: R ≥ C + 2d, what a loss undoes, and a look. */
function hasSlack(job: SpotJob, { elapsedMs, safeMs }: SpotView): boolean {
  const left = job.deadlineMs - elapsedMs;
  const need = job.workMs - safeMs + 2 * job.changeoverMs + job.atRiskMs + job.lookMs;
  return left >= need;
}

function evenPace({ workMs, deadlineMs }: SpotJob, elapsedMs: number): number {
  return (workMs * Math.min(elapsedMs, deadlineMs)) / deadlineMs;
}
