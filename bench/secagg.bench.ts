import type { Row } from './row.ts';
import { maskRows } from './secagg/masks.ts';
import { serverRows } from './secagg/server.ts';

export const description =
  "secure aggregation: the aggregator's CPU time and memory by clients and parameters, a client's, masks beside numpy's";

const BITS = 20;

/** `server_cpu_s`, `peak_mb`, `client_cpu_s`, `bytes_per_parameter`, `mask_ratio_to_numpy`. The largest rounds take minutes, most of them the clients'. */
export async function* run(): AsyncGenerator<Row> {
  yield* maskRows();
  const free = { cpu: null, memory: null };
  yield* serverRows({ clients: 100, parameters: 1e6, bits: BITS }, free);
  yield* serverRows({ clients: 100, parameters: 1e7, bits: BITS }, free);
  yield* serverRows({ clients: 1_000, parameters: 1e6, bits: BITS }, { ...free, cpu: { atMost: 5 } });
  yield* serverRows(
    { clients: 10_000, parameters: 1e6, bits: BITS },
    { cpu: { atMost: 60 }, memory: { atMost: 1_024 } },
  );
}
