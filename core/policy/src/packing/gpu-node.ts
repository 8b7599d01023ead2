/** One whole GPU in thousandths. */
export const WHOLE = 1000;

/** A machine with GPUs of one model, and what is free of it: thousandths of a CPU, any unit of memory, thousandths of each GPU. */
export interface GpuNode {
  readonly model: string;
  readonly cpuMilli: number;
  readonly memory: number;
  readonly gpus: readonly number[];
}

/** What a task asks of one machine; `gpuMilli` of each of `gpus` GPUs: below 1000 of one alone. */
export interface GpuTask {
  readonly cpuMilli: number;
  readonly memory: number;
  readonly gpus: number;
  readonly gpuMilli: number;
  /** Models that will do; any when absent. */
  readonly models?: readonly string[];
}

/** Whether `task` may use GPUs of `model`. */
export function mayUse({ models }: GpuTask, model: string): boolean {
  return models === undefined || models.includes(model);
}

/** Whether `task` fits on `node` as it is. */
export function fitsOn(node: GpuNode, task: GpuTask): boolean {
  if (node.cpuMilli < task.cpuMilli || node.memory < task.memory) return false;
  return task.gpus === 0 || (mayUse(task, node.model) && enough(node.gpus, task) >= task.gpus);
}

/** The GPUs that `task` may be given on a node where it fits: each single one that has its share, or the first whole ones. */
export function choicesOn({ gpus }: GpuNode, task: GpuTask): number[][] {
  if (task.gpus === 0) return [[]];
  const places = [...gpus.keys()].filter((place) => (gpus[place] ?? 0) >= task.gpuMilli);
  if (task.gpus > 1 || task.gpuMilli === WHOLE) return [places.slice(0, task.gpus)];
  // Two GPUs with as much free are the same choice.
  return places
    .filter((place, at) => places.findIndex((other) => gpus[other] === gpus[place]) === at)
    .map((place) => [place]);
}

/** The node after `task` took the GPUs `chosen`. */
export function withTask(node: GpuNode, task: GpuTask, chosen: readonly number[]): GpuNode {
  const gpus = [...node.gpus];
  for (const place of chosen) gpus[place] = (gpus[place] ?? 0) - task.gpuMilli;
  return { ...node, cpuMilli: node.cpuMilli - task.cpuMilli, memory: node.memory - task.memory, gpus };
}

function enough(gpus: readonly number[], { gpuMilli }: GpuTask): number {
  let count = 0;
  for (const free of gpus) if (free >= gpuMilli) count += 1;
  return count;
}
