import { epsilonOfRdp, pldOf, rdpOfEvent, type PrivacyEvent } from '@ringfence/dp/accountant';
import { REFERENCE_EPSILONS } from '../engines/dp/src/accountant/reference-epsilons.fixture.ts';
import { loadNow, percentile } from './measure.ts';
import type { Goal, Row } from './row.ts';

export const description =
  'time of epsilon by privacy loss distributions (both bounds) and by Rényi divergences, over the reference runs';

const REPEATS = 9;
/** What the accountants let be cut off, in deltas. */
const CUT = 1e-7;

/** `pld_ms`, `pld_upper_ms`, `rdp_ms`: medians over all reference runs; `pld_slowest_ms`: of the run that takes longest. CPU time, each run's median of repeats. */
export async function* run(): AsyncGenerator<Row> {
  const runs = REFERENCE_EPSILONS.map(({ run: { q, sigma, steps }, delta }) => {
    const event: PrivacyEvent = { type: 'sampled-gaussian', q, sigma, steps };
    const losses = () => pldOf([event], delta * CUT);
    return {
      upper: () => losses()?.epsilonAbove(delta),
      both: () => {
        const bounds = losses();
        return [bounds?.epsilonAbove(delta), bounds?.epsilonBelow(delta)];
      },
      rdp: () => epsilonOfRdp(rdpOfEvent(event), delta),
    };
  });
  const sampled = runs.filter((_, at) => REFERENCE_EPSILONS[at]?.run.q !== 1);
  const both = runs.map((each) => cpuMs(each.both));
  yield row('pld_ms', percentile(both, 0.5), { atMost: 20 });
  yield row('pld_slowest_ms', Math.max(...both), null);
  yield row('pld_upper_ms', median(runs.map((each) => cpuMs(each.upper))), null);
  // Without the four runs that have a formula.
  yield row('pld_sampled_ms', median(sampled.map((each) => cpuMs(each.both))), null, sampled.length);
  yield row('rdp_ms', median(runs.map((each) => cpuMs(each.rdp))), null);
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** CPU time of this process, the median of repeats after a warm one. */
function cpuMs(operation: () => unknown): number {
  const times = Array.from({ length: REPEATS + 1 }, () => {
    const before = process.cpuUsage();
    operation();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return median(times.slice(1));
}

function row(name: string, value: number, goal: Goal | null, cases = REFERENCE_EPSILONS.length): Row {
  return { name, params: { cases, repeats: REPEATS, load: loadNow() }, value, unit: 'ms', goal, peer: null };
}
