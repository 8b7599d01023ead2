import type { PlacementPart } from '@ringfence/protocol/statements';
import { WHOLE_GPU } from '../placement/placement-offer.ts';
import type { Take } from '../placement/take.ts';

/** What queues divide among them: thousandths of a CPU, bytes, thousandths of a card. Disk belongs to its machine and is not divided. */
export const RESOURCES = ['cpuMilli', 'memoryBytes', 'gpuMilli'] as const;
/** One of {@link RESOURCES}. */
export type Resource = (typeof RESOURCES)[number];
/** So much of each. */
export type Amounts = Readonly<Record<Resource, number>>;

/** Nothing of each. */
export const NOTHING: Amounts = { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 };

/** What a job asks for, at the least. */
export function askedAmounts({ resources, gpuMilli }: AskedResources): Amounts {
  const { cpuMilli, memoryBytes, gpus } = resources;
  return { cpuMilli, memoryBytes, gpuMilli: gpus === undefined ? 0 : gpus.count * (gpuMilli ?? WHOLE_GPU) };
}

/** What a running attempt holds. */
export function takenAmounts({ cpuMilli, memoryBytes, gpus }: Take): Amounts {
  return { cpuMilli, memoryBytes, gpuMilli: gpus === undefined ? 0 : gpus.cards.length * gpus.milli };
}

/** The sum: what a gang asks for, or what machines have. */
export function sumOf(all: Iterable<Amounts>): Amounts {
  const sum = { ...NOTHING };
  for (const amounts of all) for (const resource of RESOURCES) sum[resource] += amounts[resource];
  return sum;
}

/** What of a placement part says how much; `gpuMilli` where a job wants a part of one card. */
interface AskedResources {
  readonly resources: Pick<PlacementPart['resources'], 'cpuMilli' | 'memoryBytes' | 'gpus'>;
  readonly gpuMilli?: number | undefined;
}
