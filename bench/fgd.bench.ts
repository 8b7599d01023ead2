import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readNodes, readPublished, readTasks, TRACES, TRACE_SOURCE } from './fgd/openb-trace.ts';
import { allocationPercent } from './fgd/simulation.ts';
import type { Goal, Row } from './row.ts';

export const description =
  'share of GPUs that fragmentation-aware packing gives away on a trace (--pods FILE --nodes FILE for one of your own)';

const SEEDS = Array.from({ length: 10 }, (_, place) => 42 + place);
const WORKLOADS: readonly { workload: string; goal: Goal }[] = [
  { workload: 'default', goal: { atLeast: 95.23 } },
  { workload: 'gpuspec33', goal: { atLeast: 87.84 } },
];
const NODES = join(TRACES, 'openb_node_list_gpu_node.csv');

/** A row `gpu_allocation_percent` for each workload, the mean over ten seeds, beside the published policies. */
export async function* run(): AsyncGenerator<Row> {
  const { values } = parseArgs({
    options: { pods: { type: 'string' }, nodes: { type: 'string' } },
    strict: false,
    allowPositionals: true,
  });
  const own = [values.pods, values.nodes].map((file) => (typeof file === 'string' ? file : undefined));
  const [pods, nodes = NODES] = own;
  if ((pods === undefined || own[1] === undefined) && !existsSync(TRACES)) {
    const remedy = `name both lists by --pods and --nodes; they are published at ${TRACE_SOURCE}`;
    throw new Error(`the openb trace is not beside this checkout (shared/traces/openb): ${remedy}`);
  }
  if (pods !== undefined) {
    yield measured({ workload: pods, pods, nodes, goal: null, peer: null });
    return;
  }
  for (const { workload, goal } of WORKLOADS) {
    const published = readPublished(join(TRACES, 'fgd_allo_discrete.csv'), workload);
    const peer = [...published].map(([policy, mean]) => `${policy} ${mean.toFixed(2)}`).join(', ');
    yield measured({ workload, pods: join(TRACES, `openb_pod_list_${workload}.csv`), nodes, goal, peer });
  }
}

function measured(from: {
  workload: string;
  pods: string;
  nodes: string;
  goal: Goal | null;
  peer: string | null;
}): Row {
  const trace = { nodes: readNodes(from.nodes), tasks: readTasks(from.pods), load: 1 };
  const percents = SEEDS.map((seed) => allocationPercent(trace, seed));
  const mean = percents.reduce((a, b) => a + b, 0) / percents.length;
  const spread = Math.max(...percents) - Math.min(...percents);
  const params = { workload: from.workload, seeds: SEEDS.length, min_to_max: Number(spread.toFixed(2)) };
  return {
    name: 'gpu_allocation_percent',
    params,
    value: mean,
    unit: '%',
    goal: from.goal,
    peer: from.peer && `published: ${from.peer}`,
  };
}
