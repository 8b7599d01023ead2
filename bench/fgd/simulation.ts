import { randomBelow, seededRng, type Rng } from '@ringfence/base';
import { FgdPacker, taskTypes, type GpuNode, type GpuTask } from '@ringfence/policy/packing';

/**
 * The share of all GPUs, in percent, that is given away when tasks that ask for `load` times all GPUs have arrived, one after the
 * other, none ending; the experiment of Weng et al., USENIX ATC 2023, §6.2. Tasks come in an order of the seed; when the trace is
 * at its end, by drawing from it. Nodes are in an order of the seed, too. The packer knows the mix of the trace.
 */
export function allocationPercent(
  { nodes, tasks, load }: { nodes: readonly GpuNode[]; tasks: readonly GpuTask[]; load: number },
  seed: number,
): number {
  const rng = seededRng(`fgd ${seed}`);
  const packer = new FgdPacker(shuffled(nodes, rng), taskTypes(tasks));
  const all = nodes.reduce((sum, { gpus }) => sum + gpus.reduce((a, b) => a + b, 0), 0);
  const order = shuffled(tasks, rng);
  let arrived = 0;
  let given = 0;
  for (let at = 0; arrived < load * all; at += 1) {
    const task = order[at] ?? tasks[randomBelow(rng, tasks.length)];
    if (task === undefined) throw new RangeError('there are no tasks');
    arrived += task.gpus * task.gpuMilli;
    if (packer.pack(task) !== undefined) given += task.gpus * task.gpuMilli;
  }
  return (given / all) * 100;
}

/** Fisher and Yates' shuffle. */
function shuffled<T>(values: readonly T[], rng: Rng): T[] {
  const mixed = [...values];
  for (let place = mixed.length - 1; place > 0; place -= 1) {
    const other = randomBelow(rng, place + 1);
    [mixed[place], mixed[other]] = [mixed[other] as T, mixed[place] as T];
  }
  return mixed;
}
