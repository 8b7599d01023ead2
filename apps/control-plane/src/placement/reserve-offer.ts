import type { FreeResources } from '@ringfence/policy';
import {
  WHOLE_GPU,
  type ChosenOffer,
  type Placement,
  type PlacementRequest,
  type Take,
} from '@ringfence/policy/placement';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Tx } from '../store/open-store.ts';
import { addGpus } from './gpu-counts.ts';
import type { KeptInventory } from './kept-inventory.ts';

/** So often an offer is chosen anew when somebody was faster. */
const MOST_PICKS = 8;

/** A placement and the epoch of the inventory that it was made from. */
export interface Reserved {
  readonly placement: Placement;
  readonly inventoryEpoch: number;
}

/**
 * Chooses the best offer for `request` and takes what the job gets of it, in the caller's transaction: only a row that is as the choice found
 * it. One that changed is read again, and chosen among anew. Throws ControlPlaneError `conflict` when that never ends.
 */
export async function reserveOffer(tx: Tx, kept: KeptInventory, request: PlacementRequest): Promise<Reserved> {
  for (let picks = 0; picks < MOST_PICKS; picks += 1) {
    const decided = { placement: kept.place(request), inventoryEpoch: kept.epoch };
    const { decision } = decided.placement;
    if (!decision.allow || (await reserve(tx, kept, decision.chosen))) return decided;
    await kept.readAgain(tx, decision.chosen.offer);
  }
  throw new ControlPlaneError('conflict', 'offers change faster than they can be taken');
}

/** The GPUs that a job gets, as rows count them. */
export function takenGpus({ gpus }: Take): FreeResources['gpus'] {
  return gpus === undefined ? [] : [{ model: gpus.model, memoryBytes: gpus.memoryBytes, count: gpus.cards.length }];
}

async function reserve(tx: Tx, kept: KeptInventory, { offer, take }: ChosenOffer): Promise<boolean> {
  const version = kept.versionOf(offer);
  const free = kept.find(offer)?.free;
  if (version === undefined || free === undefined) throw new RangeError('an offer was chosen that is not there');
  const whole = free.gpus.map(({ model, memoryBytes, cards }) => ({
    model,
    memoryBytes,
    count: cards.filter((milli) => milli === WHOLE_GPU).length,
  }));
  const { numUpdatedRows } = await tx
    .updateTable('offer')
    .set((column) => ({
      free_cpu_milli: column('free_cpu_milli', '-', take.cpuMilli),
      free_memory_bytes: column('free_memory_bytes', '-', take.memoryBytes),
      free_disk_bytes: column('free_disk_bytes', '-', take.diskBytes),
      free_gpus: JSON.stringify(addGpus(whole, takenGpus(take), -1)),
      row_version: column('row_version', '+', 1),
    }))
    .where('offer', '=', offer)
    .where('row_version', '=', version)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  kept.noteReserved(offer, take, version + 1);
  return true;
}
