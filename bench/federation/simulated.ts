import { seededRng } from '@ringfence/base';
import { planEncoding } from '@ringfence/fl/distributed-noise';
import { simulate } from '@ringfence/fl/simulation';
import { parameterCount, type Examples } from '@ringfence/fl/trainer';
import { breastCancer } from '../utility/experiments.ts';
import { dealRows } from '../utility/tables.ts';

/** Rows of the breast-cancer data that each simulated client has, some of them the same as others'. */
const ROWS = 5;

/** Clients a second in one process, through training, encoding, secure aggregation and the strategy's step; `sums` as the simulation has it. */
export function simulatedClientsPerSecond(clients: number, rounds: number, sums: 'secure' | 'open'): number {
  const { spec, examples, plain } = breastCancer();
  const few = dealRows(examples, Math.floor(examples.labels.length / ROWS));
  const parties = Array.from({ length: clients }, (_, at): Examples => few[at % few.length] ?? examples);
  const plan = {
    spec,
    training: { method: 'epochs', epochs: 1, batch: plain.batch, rate: plain.rate },
    strategy: { kind: 'fedavg', rate: 1, momentum: 0 },
    encoding: planEncoding({ dimension: parameterCount(spec), clients, clipOf: 'update', clip: 2, noise: null }),
    rounds,
    lost: 0,
    sums,
  } as const;
  const begun = performance.now();
  for (const { included } of simulate(plan, parties, seededRng('bench federation')))
    if (included !== clients) throw new Error('clients are missing in a sum');
  return (clients * rounds * 1_000) / (performance.now() - begun);
}
