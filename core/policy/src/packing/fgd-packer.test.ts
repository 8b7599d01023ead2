import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import { FgdPacker } from './fgd-packer.ts';
import { Fragmentation, taskTypes, type TaskType } from './fragmentation.ts';
import { fitsOn, withTask, type GpuNode, type GpuTask } from './gpu-node.ts';

const task = (gpus: number, gpuMilli: number, cpuMilli = 1_000): GpuTask => ({ cpuMilli, memory: 1, gpus, gpuMilli });
const node = (...gpus: number[]): GpuNode => ({ model: 'T4', cpuMilli: 96_000, memory: 100, gpus });

/** F_n(M) as the paper's §4.1 writes it, type by type. */
function naive({ model, cpuMilli, gpus }: GpuNode, types: readonly TaskType[]): number {
  const total = gpus.reduce((a, b) => a + b, 0);
  return types.reduce((sum, { task: { gpus: count, gpuMilli, cpuMilli: cpu, models }, share }) => {
    const enough = gpus.filter((free) => free >= gpuMilli);
    const runs = count > 0 && cpu <= cpuMilli && enough.length >= count && (models ?? [model]).includes(model);
    const lost = runs ? total - enough.reduce((a, b) => a + b, 0) : total;
    return sum + share * lost;
  }, 0);
}

describe('fragmentation', () => {
  it('is what the paper says of one node and two types: what neither can use', () => {
    const mix = new Fragmentation([
      { task: task(1, 500), share: 0.5 },
      { task: task(2, 1000), share: 0.5 },
    ]);
    // Half of the mix uses 500 and 1000 of 1,700 free; the other half finds one whole GPU where it needs two.
    assert.equal(mix.of(node(200, 500, 1000)), 0.5 * 200 + 0.5 * 1700);
    assert.equal(mix.of(node(0, 0)), 0);
  });

  it('equals the sum over types on 2,000 random nodes', () => {
    const rng = seededRng('fragmentation');
    const below = (bound: number) => randomBelow(rng, bound);
    const pick = <T>(values: readonly [T, ...T[]]): T => values[below(values.length)] ?? values[0];
    for (let round = 0; round < 20; round += 1) {
      const tasks = Array.from({ length: 60 }, (): GpuTask => {
        const gpus = pick([0, 1, 1, 1, 2, 8]);
        const only = below(3) === 0 ? { models: [pick(['T4', 'G2'])] } : {};
        return { ...task(gpus, gpus === 1 ? pick([100, 460, 1000]) : 1000, 1_000 * below(20)), ...only };
      });
      const types = taskTypes(tasks, 1);
      const mix = new Fragmentation(types);
      for (let at = 0; at < 100; at += 1) {
        const gpus = Array.from({ length: 1 + below(8) }, () => pick([0, 300, 540, 1000]));
        const one: GpuNode = { model: pick(['T4', 'G2']), cpuMilli: 1_000 * below(20), memory: 1, gpus };
        assert.ok(Math.abs(mix.of(one) - naive(one, types)) < 1e-6);
      }
    }
  });

  it('counts the commonest types until they cover 95 of 100 tasks', () => {
    const tasks = [
      ...Array.from({ length: 96 }, () => task(1, 500)),
      ...Array.from({ length: 4 }, () => task(8, 1000)),
    ];
    assert.deepEqual(
      taskTypes(tasks).map(({ task: { gpus }, share }) => [gpus, share]),
      [[1, 1]],
    );
    assert.equal(taskTypes(tasks, 1).length, 2);
  });
});

describe('the packer', () => {
  it('puts a share where it breaks no whole GPU', () => {
    const types = [
      { task: task(1, 500), share: 0.5 },
      { task: task(2, 1000), share: 0.5 },
    ];
    const packer = new FgdPacker([node(1000, 1000), node(500, 1000)], types);
    assert.deepEqual(packer.pack(task(1, 500)), { node: 1, gpus: [0] });
    assert.deepEqual(packer.pack(task(2, 1000)), { node: 0, gpus: [0, 1] });
    assert.equal(packer.pack(task(2, 1000)), undefined);
  });

  it('never gives more than there is, and uses no answer that a change made old, in 3,000 random tasks', () => {
    const rng = seededRng('packer');
    const nodes = Array.from({ length: 12 }, (_, at) => ({
      ...node(1000, 1000, 1000, 1000),
      model: at % 2 ? 'T4' : 'G2',
    }));
    const shapes = [task(1, 200), task(1, 500, 4_000), task(2, 1000), { ...task(1, 1000), models: ['G2'] }, task(0, 0)];
    const types = taskTypes(shapes, 1);
    for (let round = 0; round < 30; round += 1) {
      const packer = new FgdPacker(nodes, types);
      for (let at = 0; at < 100; at += 1) {
        const one = shapes[randomBelow(rng, shapes.length)] ?? assert.fail();
        const before = [...packer.nodes];
        const placed = packer.pack(one);
        // A packer that knows nothing from before decides the same.
        assert.deepEqual(new FgdPacker(before, types).pack(one), placed);
        if (placed === undefined) {
          assert.ok(!before.some((state) => fitsOn(state, one)));
          continue;
        }
        const state = before[placed.node] ?? assert.fail();
        assert.ok(fitsOn(state, one));
        assert.deepEqual(packer.nodes[placed.node], withTask(state, one, placed.gpus));
        assert.ok(packer.nodes.every(({ gpus, cpuMilli }) => cpuMilli >= 0 && gpus.every((free) => free >= 0)));
      }
    }
  });
});
