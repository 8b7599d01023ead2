import type { Brand } from '@ringfence/base';
import { z } from 'zod';
import { decide, type Decision } from '../decision.ts';
import { RESOURCES } from './amounts.ts';

/** `que_` and 26 letters of base32: an organisation's queue. Its name stays at the custodian. */
export type QueueId = Brand<string, 'id:queue'>;

/** The most queues of an organisation, and the most levels that they make. */
export const MOST_QUEUES = 256;
const MOST_LEVELS = 4;
const MOST_WEIGHT = 1_000;
const MOST_AMOUNT = 1e15;

const queueId = z
  .string()
  .regex(/^que_[a-h][a-z2-7]{25}$/)
  .transform((text) => text as QueueId);
const amount = z.int().min(0).max(MOST_AMOUNT).optional();
const someAmounts = z.strictObject({ cpuMilli: amount, memoryBytes: amount, gpuMilli: amount });
const queueTerms = z.strictObject({
  queue: queueId,
  /** Absent: directly below the organisation. */
  parent: queueId.optional(),
  weight: z.int().min(1).max(MOST_WEIGHT),
  nominal: someAmounts,
  /** The most above `nominal`; absent: whatever is there. */
  borrowing: someAmounts.optional(),
  /** The most of `nominal` that others may use meanwhile; absent: all of it. */
  lending: someAmounts.optional(),
});
const shape = z.strictObject({ queues: z.array(queueTerms).max(MOST_QUEUES), rebalance: z.boolean() });

/** A queue: its place in the tree, its weight, and its amounts as far as it states any. */
export type QueueTerms = Readonly<z.output<typeof queueTerms>>;

/** An organisation's queues; `rebalance`: jobs also stop so that shares come to their weights, not only for nominal amounts. */
export interface FairShareTerms {
  readonly queues: readonly QueueTerms[];
  readonly rebalance: boolean;
}

/** What is wrong with terms: which field, and how. */
export interface FairShareFault {
  readonly field: string;
  readonly fault:
    | 'malformed'
    | 'out-of-range'
    | 'twice'
    | 'no-such-parent'
    | 'circle'
    | 'too-deep'
    | 'lends-more-than-it-has'
    | 'less-than-its-queues-have';
}

/** Reads terms from outside, or says everything that is wrong with them. */
export function readFairShareTerms(input: unknown): Decision<FairShareFault, { readonly terms: FairShareTerms }> {
  const parsed = shape.safeParse(input);
  if (!parsed.success) return { allow: false, reasons: parsed.error.issues.map(faultOf) };
  const { queues } = parsed.data;
  const placed = placesFaults(queues);
  return decide(placed.length > 0 ? placed : amountFaults(queues), { terms: parsed.data });
}

/** What `queue` has of `resource`: what it states, or what the queues below it have together. */
export function nominalOf(
  queue: QueueTerms,
  resource: (typeof RESOURCES)[number],
  below: (queue: QueueId) => readonly QueueTerms[],
): number {
  const stated = queue.nominal[resource];
  if (stated !== undefined) return stated;
  return below(queue.queue).reduce((sum, child) => sum + nominalOf(child, resource, below), 0);
}

/** The queues directly below each; below the organisation under `undefined`. */
export function queuesBelow(queues: readonly QueueTerms[]): (queue: QueueId | undefined) => readonly QueueTerms[] {
  const below = Map.groupBy(queues, ({ parent }) => parent);
  return (queue) => below.get(queue) ?? [];
}

function placesFaults(queues: readonly QueueTerms[]): FairShareFault[] {
  const known = new Map(queues.map((one) => [one.queue, one]));
  const seen = new Set<QueueId>();
  return queues.flatMap(({ queue, parent }, index): FairShareFault[] => {
    const at = `queues.${index}`;
    if (seen.has(queue)) return [{ field: `${at}.queue`, fault: 'twice' }];
    seen.add(queue);
    if (parent !== undefined && !known.has(parent)) return [{ field: `${at}.parent`, fault: 'no-such-parent' }];
    let above = parent;
    for (let level = 1; above !== undefined; level += 1) {
      if (above === queue) return [{ field: `${at}.parent`, fault: 'circle' }];
      // Who hangs below a circle without being part of it is as deep as anybody can be.
      if (level >= MOST_LEVELS) return [{ field: `${at}.parent`, fault: 'too-deep' }];
      above = known.get(above)?.parent;
    }
    return [];
  });
}

function amountFaults(queues: readonly QueueTerms[]): FairShareFault[] {
  const below = queuesBelow(queues);
  const faults: FairShareFault[] = [];
  for (const resource of RESOURCES) {
    let all = 0;
    for (const [index, one] of queues.entries()) {
      const has = nominalOf(one, resource, below);
      const parts = below(one.queue).reduce((sum, child) => sum + nominalOf(child, resource, below), 0);
      all += has;
      if (parts > has)
        faults.push({ field: `queues.${index}.nominal.${resource}`, fault: 'less-than-its-queues-have' });
      if ((one.lending?.[resource] ?? 0) > has)
        faults.push({ field: `queues.${index}.lending.${resource}`, fault: 'lends-more-than-it-has' });
    }
    // Sums of them stay exact.
    if (!Number.isSafeInteger(all)) faults.push({ field: `queues.*.nominal.${resource}`, fault: 'out-of-range' });
  }
  return faults;
}

function faultOf({ code, path }: z.core.$ZodIssue): FairShareFault {
  const range = code === 'too_big' || code === 'too_small';
  return { field: path.join('.'), fault: range ? 'out-of-range' : 'malformed' };
}
