import { newId, seededRng, type JobId } from '@ringfence/base';
import fc from 'fast-check';
import { RESOURCES, type Amounts, type Resource } from './amounts.ts';
import { readFairShareTerms, type FairShareTerms, type QueueId, type QueueTerms } from './queue-terms.ts';

const rng = seededRng('fair share');

/** Ids that are the same in each run, in their order. */
export const JOBS: readonly JobId[] = Array.from({ length: 256 }, () => newId('job', rng)).toSorted();
/** Queues, likewise. */
export const QUEUES: readonly QueueId[] = Array.from(
  { length: 64 },
  (_, index) => `que_a${'abcdefgh'.charAt(index >> 3)}${'abcdefgh'.charAt(index & 7)}${'a'.repeat(23)}` as QueueId,
);

/** One of a list; throws RangeError when it has fewer. */
export function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError('the fixture has fewer');
  return found;
}

/** So many CPUs, as many bytes, and cards. */
export function amounts(cpuMilli: number, memoryBytes = 0, gpuMilli = 0): Amounts {
  return { cpuMilli, memoryBytes, gpuMilli };
}

/** A queue with these CPUs and nothing else stated. */
export function queue(
  index: number,
  cpuMilli: number,
  more: Partial<Omit<QueueTerms, 'queue' | 'nominal'>> = {},
): QueueTerms {
  return { queue: at(QUEUES, index), weight: 1, nominal: { cpuMilli }, ...more };
}

/** Terms of these queues. */
export function termsOf(queues: readonly QueueTerms[], rebalance = false): FairShareTerms {
  const read = readFairShareTerms({ queues, rebalance });
  if (!read.allow) throw new RangeError(JSON.stringify(read.reasons));
  return read.terms;
}

/** The queues that jobs can be in; undefined for those of no queue. */
export function leavesOf({ queues }: FairShareTerms): (QueueId | undefined)[] {
  return [undefined, ...queues.map((one) => one.queue).filter((id) => !queues.some(({ parent }) => parent === id))];
}

interface Drawn {
  readonly parent: number;
  readonly weight: number;
  readonly nominal: readonly [number, number];
  readonly extra: number;
  readonly lending: number;
  readonly borrowing: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  parent: fc.integer({ min: -3, max: 5 }),
  weight: fc.integer({ min: 1, max: 3 }),
  nominal: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })),
  extra: fc.integer({ min: -2, max: 2 }),
  lending: fc.integer({ min: -3, max: 3 }),
  borrowing: fc.integer({ min: -3, max: 4 }),
});

/** Trees of up to seven queues on up to four levels that divide CPUs and memory; every term that is optional is there or not. */
export const someTerms: fc.Arbitrary<FairShareTerms> = fc
  .array(drawn, { maxLength: 7 })
  .map((all) => termsOf(queuesFrom(all)));

function queuesFrom(all: readonly Drawn[]): QueueTerms[] {
  const parents = all.map(({ parent }, index) => (parent >= 0 && parent < index ? parent : undefined));
  const level = (index: number): number => {
    const above = parents[index];
    return above === undefined ? 1 : 1 + level(above);
  };
  for (const index of parents.keys()) if (level(index) > 4) parents[index] = undefined;
  const has = (index: number, resource: 0 | 1): number => {
    const below = [...parents.keys()].filter((other) => parents[other] === index);
    if (below.length === 0) return at(all, index).nominal[resource];
    return below.reduce((sum, other) => sum + has(other, resource), 0) + Math.max(0, at(all, index).extra);
  };
  return all.map(({ weight, extra, lending, borrowing }, index) => {
    const parent = parents[index];
    const isLeaf = !parents.includes(index);
    const nominal = { cpuMilli: has(index, 0), memoryBytes: has(index, 1) };
    return {
      queue: at(QUEUES, index),
      ...(parent === undefined ? {} : { parent: at(QUEUES, parent) }),
      weight,
      nominal: isLeaf || extra > 0 || statesBelow(all, parents, index) ? nominal : {},
      ...(lending < 0 ? {} : { lending: { cpuMilli: Math.min(lending, nominal.cpuMilli) } }),
      ...(borrowing < 0 ? {} : { borrowing: { cpuMilli: borrowing, memoryBytes: borrowing } }),
    };
  });
}

/** Whether some queue below states more than its own queues have: then what is above has to state it, too. */
function statesBelow(all: readonly Drawn[], parents: readonly (number | undefined)[], index: number): boolean {
  return parents.some(
    (parent, other) => parent === index && (at(all, other).extra > 0 || statesBelow(all, parents, other)),
  );
}

/** What the top queues have together. */
export function nominalSum({ queues }: FairShareTerms): Amounts {
  const has = (one: QueueTerms, resource: Resource): number =>
    one.nominal[resource] ??
    queues.filter(({ parent }) => parent === one.queue).reduce((sum, child) => sum + has(child, resource), 0);
  const top = queues.filter(({ parent }) => parent === undefined);
  const [cpuMilli = 0, memoryBytes = 0, gpuMilli = 0] = RESOURCES.map((resource) =>
    top.reduce((sum, one) => sum + has(one, resource), 0),
  );
  return { cpuMilli, memoryBytes, gpuMilli };
}

/** A job of a tree: the leaf by its number. */
export interface DrawnJob {
  readonly leaf: number;
  readonly cpus: number;
  readonly memory: number;
  readonly priority: number;
  readonly minutes: number;
  readonly waited: number;
}

/** Jobs, small beside the amounts of {@link someTerms}. */
export const someJob: fc.Arbitrary<DrawnJob> = fc.record({
  leaf: fc.nat(7),
  cpus: fc.integer({ min: 1, max: 4 }),
  memory: fc.integer({ min: 0, max: 3 }),
  priority: fc.integer({ min: 0, max: 3 }),
  minutes: fc.integer({ min: 1, max: 5 }),
  waited: fc.integer({ min: 0, max: 3 }),
});

/** The jobs as units of a tree, with ids in their order. */
export function unitsOf(terms: FairShareTerms, jobs: readonly DrawnJob[], now: number) {
  const leaves = leavesOf(terms);
  return jobs.map(({ leaf, cpus, memory, priority, minutes, waited }, index) => ({
    job: at(JOBS, index),
    queue: leaves[leaf % leaves.length],
    amounts: amounts(cpus, memory),
    priority,
    submittedAt: now - waited * 60_000,
    startedAt: now - (minutes % 3),
    maxDurationMs: minutes * 60_000,
  }));
}
