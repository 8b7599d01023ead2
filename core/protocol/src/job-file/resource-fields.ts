import { cpuMilli, diskBytes, memoryBytes, type Amount } from './amount.ts';
import { parseGpu, type GpuRequest } from './gpu.ts';
import { parseHourlyPrice, type HourlyPrice } from './price.ts';
import { oneOf, record, text, type ReadBy } from './read.ts';

/** Whether a job may run on capacity that can be taken away. */
const SPOT = ['auto', 'never', 'only'] as const;
/** One of {@link SPOT}. */
export type Spot = (typeof SPOT)[number];

/** What a job asks of a machine, as far as its file says. */
export interface ResourceWishes {
  readonly cpuMilli: Amount | undefined;
  readonly memoryBytes: Amount | undefined;
  readonly diskBytes: Amount | undefined;
  readonly gpu: GpuRequest | undefined;
  readonly spot: Spot | undefined;
  readonly maxPrice: HourlyPrice | undefined;
}

/** Reads the `resources` section. */
export const resourceFields = record({
  cpus: cpuMilli,
  memory: memoryBytes,
  gpu: text(parseGpu, 'GPUs such as H100:80GB:1, H100 or 80GB:2'),
  disk: diskBytes,
  spot: oneOf(SPOT),
  max_price: text(parseHourlyPrice, 'an hourly price of the whole job such as 12.5 USD'),
});

/** The section in the terms of the rest of the program. */
export function resourceWishes(values: ReadBy<typeof resourceFields> = {}): ResourceWishes {
  return {
    cpuMilli: values.cpus,
    memoryBytes: values.memory,
    diskBytes: values.disk,
    gpu: values.gpu,
    spot: values.spot,
    maxPrice: values.max_price,
  };
}
