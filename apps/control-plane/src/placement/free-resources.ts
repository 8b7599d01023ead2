import type { AgentId } from '@ringfence/base';
import type { FreeResources } from '@ringfence/policy';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Tx } from '../store/open-store.ts';
import { addGpus } from './gpu-counts.ts';

/** The columns of an offer's row that say what is free. */
export interface FreeColumns {
  readonly free_cpu_milli: number;
  readonly free_memory_bytes: number;
  readonly free_disk_bytes: number;
  readonly free_gpus: string;
}

/**
 * What the agent's machine has beyond what its live attempts hold. Counted from the attempts each time: a machine that
 * came back smaller while attempts ran is not given more than it has when they end.
 */
export async function freeResources(tx: Tx, agent: AgentId, offer: MessageBody<'offer'>): Promise<FreeColumns> {
  const held = await tx
    .selectFrom('attempt')
    .select(['cpu_milli', 'memory_bytes', 'disk_bytes', 'gpus'])
    .where('agent', '=', agent)
    .where('live', '=', true)
    .execute();
  const left = (all: number, column: 'cpu_milli' | 'memory_bytes' | 'disk_bytes'): number =>
    Math.max(
      0,
      held.reduce((rest, row) => rest - row[column], all),
    );
  return {
    free_cpu_milli: left(offer.cpuMilli, 'cpu_milli'),
    free_memory_bytes: left(offer.memoryBytes, 'memory_bytes'),
    free_disk_bytes: left(offer.diskBytes, 'disk_bytes'),
    free_gpus: JSON.stringify(
      held.reduce<FreeResources['gpus']>((rest, row) => addGpus(rest, row.gpus, -1), offer.gpus),
    ),
  };
}
