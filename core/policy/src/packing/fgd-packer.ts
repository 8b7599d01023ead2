import { Fragmentation, typeName, type TaskType } from './fragmentation.ts';
import { WHOLE, choicesOn, fitsOn, withTask, type GpuNode, type GpuTask } from './gpu-node.ts';

/** Where a task went: the number of the node, and which of its GPUs. */
export interface Packed {
  readonly node: number;
  readonly gpus: readonly number[];
}

interface Choice {
  readonly points: number;
  readonly gpus: readonly number[];
}

/**
 * Fragmentation gradient descent (Weng et al., "Beware of Fragmentation", USENIX ATC 2023, §4.2): each task goes where the
 * fragmentation that an expected mix of tasks would see grows the least. As in the authors' scheduler, growth is compared in
 * whole points of a hundred; among equals the node of the smallest number is taken, so that nodes that are as good as others
 * fill up one after the other. Compared exactly it packs worse (docs/placement.md has figures).
 */
export class FgdPacker {
  readonly #nodes: GpuNode[];
  readonly #fragmentation: Fragmentation;
  readonly #now: number[];
  /** By type of task, then node: what was worked out for the node as it is. */
  readonly #choices = new Map<string, (Choice | undefined)[]>();

  constructor(nodes: readonly GpuNode[], expected: readonly TaskType[]) {
    this.#nodes = [...nodes];
    this.#fragmentation = new Fragmentation(expected);
    this.#now = nodes.map((node) => this.#fragmentation.of(node));
  }

  /** The nodes with what is free of them now. */
  get nodes(): readonly GpuNode[] {
    return this.#nodes;
  }

  /** Packs `task`; undefined where it fits nowhere. */
  pack(task: GpuTask): Packed | undefined {
    const choices = this.#choicesFor(task);
    let best: (Choice & { readonly node: number }) | undefined;
    for (const [node, state] of this.#nodes.entries()) {
      if (!fitsOn(state, task)) continue;
      const found = choices[node] ?? this.#choose(node, state, task);
      choices[node] = found;
      if (best === undefined || found.points > best.points) best = { node, ...found };
    }
    if (best === undefined) return undefined;
    this.#set(best.node, task, best.gpus);
    return { node: best.node, gpus: best.gpus };
  }

  #choicesFor(task: GpuTask): (Choice | undefined)[] {
    const name = typeName(task);
    const known = this.#choices.get(name) ?? [];
    this.#choices.set(name, known);
    return known;
  }

  #choose(node: number, state: GpuNode, task: GpuTask): Choice {
    let best: Choice = { points: -1, gpus: [] };
    for (const gpus of choicesOn(state, task)) {
      const growth = this.#fragmentation.of(withTask(state, task, gpus)) - (this.#now[node] ?? 0);
      const points = pointsOf(growth);
      if (points > best.points) best = { points, gpus };
    }
    return best;
  }

  #set(node: number, task: GpuTask, gpus: readonly number[]): void {
    const state = this.#nodes[node];
    if (state === undefined) return;
    const next = withTask(state, task, gpus);
    this.#nodes[node] = next;
    this.#now[node] = this.#fragmentation.of(next);
    for (const choices of this.#choices.values()) choices[node] = undefined;
  }
}

/** 100 for what takes all fragmentation away, 50 for what leaves it, 0 for what adds much; whole GPUs make some 25 points. */
function pointsOf(growth: number): number {
  return Math.floor(100 / (1 + Math.exp(growth / WHOLE)));
}
