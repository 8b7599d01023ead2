import { mayUse, type GpuNode, type GpuTask } from './gpu-node.ts';

/** What tasks are like that will come: the share of each type among all. */
export interface TaskType {
  readonly task: GpuTask;
  readonly share: number;
}

/** The part of all tasks that the types cover by which fragmentation is judged, as in the authors' experiments. */
const COVERAGE = 0.95;

/**
 * The commonest types of `tasks`, as many as cover {@link COVERAGE} of them, and what share of those each has. Memory is no part
 * of a type, as in the paper.
 */
export function taskTypes(tasks: readonly GpuTask[], coverage = COVERAGE): TaskType[] {
  const counts = new Map<string, { task: GpuTask; count: number }>();
  for (const task of tasks) {
    const name = typeName(task);
    const known = counts.get(name);
    if (known === undefined) counts.set(name, { task: { ...task, memory: 0 }, count: 1 });
    else known.count += 1;
  }
  const common: { task: GpuTask; count: number }[] = [];
  let covered = 0;
  for (const type of [...counts.values()].toSorted((a, b) => b.count - a.count)) {
    if (covered >= coverage * tasks.length) break;
    covered += type.count;
    common.push(type);
  }
  return common.map(({ task, count }) => ({ task, share: count / covered }));
}

/** Names the type of a task. */
export function typeName({ cpuMilli, gpus, gpuMilli, models }: GpuTask): string {
  return `${cpuMilli}:${gpus}:${gpuMilli}:${models?.join('|') ?? ''}`;
}

/** Types of one model that ask for as many GPUs and as much of each; by rising CPU, with the sums of their shares. */
interface Shape {
  readonly gpus: number;
  readonly gpuMilli: number;
  readonly cpus: readonly number[];
  readonly shares: readonly number[];
}

/**
 * How many thousandths of the free GPUs of a node a task of an expected mix could not use, on average over the mix: F_n(M) of
 * Weng et al., "Beware of Fragmentation", USENIX ATC 2023, §4.1. A task that does not fit the node at all, or needs no GPU,
 * can use none of them; one that fits cannot use those of which less is free than it needs.
 */
export class Fragmentation {
  readonly #types: readonly TaskType[];
  readonly #byModel = new Map<string, readonly Shape[]>();

  constructor(types: readonly TaskType[]) {
    this.#types = types;
  }

  /** F_n(M), in thousandths of a GPU. */
  of({ model, cpuMilli, gpus }: GpuNode): number {
    let total = 0;
    for (const free of gpus) total += free;
    let usable = 0;
    for (const { gpus: asked, gpuMilli, cpus, shares } of this.#shapesOf(model)) {
      let enough = 0;
      let whole = 0;
      for (const free of gpus) {
        if (free < gpuMilli) continue;
        enough += 1;
        whole += free;
      }
      if (enough >= asked) usable += whole * upTo(cpus, shares, cpuMilli);
    }
    return total - usable;
  }

  #shapesOf(model: string): readonly Shape[] {
    const known = this.#byModel.get(model);
    if (known !== undefined) return known;
    const groups = new Map<string, TaskType[]>();
    for (const type of this.#types) {
      const { task } = type;
      if (task.gpus === 0 || !mayUse(task, model)) continue;
      const name = `${task.gpus}:${task.gpuMilli}`;
      groups.set(name, [...(groups.get(name) ?? []), type]);
    }
    const shapes = [...groups.values()].map(shapeOf);
    this.#byModel.set(model, shapes);
    return shapes;
  }
}

function shapeOf(types: readonly TaskType[]): Shape {
  const sorted = types.toSorted((a, b) => a.task.cpuMilli - b.task.cpuMilli);
  let sum = 0;
  const shares = sorted.map(({ share }) => (sum += share));
  const { gpus, gpuMilli } = sorted[0]?.task ?? { gpus: 0, gpuMilli: 0 };
  return { gpus, gpuMilli, cpus: sorted.map(({ task }) => task.cpuMilli), shares };
}

/** The share of types that need at most `cpuMilli`. */
function upTo(cpus: readonly number[], shares: readonly number[], cpuMilli: number): number {
  let place = cpus.length - 1;
  while (place >= 0 && (cpus[place] ?? 0) > cpuMilli) place -= 1;
  return place < 0 ? 0 : (shares[place] ?? 0);
}
