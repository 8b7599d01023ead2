import { chooseMachine, type Machine, type SpotJob } from './uniform-progress.ts';

/** What spot machines do, whatever a job does. */
export interface SpotWeather {
  /** Whether one can be had at `ms` after the job's beginning, and until when that stays so; what it says is for good. */
  at(ms: number): { readonly there: boolean; readonly until: number };
}

/** What came of a job; milliseconds. */
export interface SimulatedRun {
  readonly finishedAt: number;
  readonly spotMs: number;
  readonly onDemandMs: number;
  /** Spot machines that were taken away. */
  readonly losses: number;
}

const MOST_LOOKS = 1_000_000;

/**
 * One job under {@link chooseMachine}: a loss, and a change, undo what is in no checkpoint, of which there is one each `atRiskMs` of work;
 * a change takes its time; a loss is looked at when it happens, everything else at the next look. Machines are paid from the change on.
 */
export function simulateJob(job: SpotJob, weather: SpotWeather): SimulatedRun {
  let on: Machine = 'idle';
  let committed = false;
  let changeover = 0;
  let [done, safe, at, losses] = [0, 0, 0, 0];
  const used = { spot: 0, 'on-demand': 0, idle: 0 };
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const { there, until } = weather.at(at);
    if (on === 'spot' && !there) {
      losses += 1;
      done = safe;
      on = 'idle';
    }
    const choice = chooseMachine(job, { elapsedMs: at, safeMs: safe, done: false, on, spotThere: there, committed });
    if (choice.on !== on) {
      done = safe;
      changeover = choice.on === 'idle' ? 0 : job.changeoverMs;
    }
    ({ on, committed } = choice);
    const span = on === 'spot' ? Math.min(job.lookMs, until - at) : job.lookMs;
    const starts = Math.min(span, changeover);
    changeover -= starts;
    const left = job.workMs - done;
    if (on !== 'idle' && span - starts >= left) {
      used[on] += starts + left;
      return { finishedAt: at + starts + left, spotMs: used.spot, onDemandMs: used['on-demand'], losses };
    }
    if (on !== 'idle') done += span - starts;
    safe = Math.max(safe, Math.floor(done / job.atRiskMs) * job.atRiskMs);
    used[on] += span;
    at += span;
  }
  throw new RangeError('a simulated job does not end');
}
