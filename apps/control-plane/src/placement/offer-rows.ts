import type { FreeResources, OfferRow } from '@ringfence/policy';
import type { EpochMs } from '@ringfence/base';
import type { Tx } from '../store/open-store.ts';
import { isOnline } from '../jobs/clock-terms.ts';

/** An offer with the version that a reservation must still find. */
export type VersionedOffer = OfferRow & { readonly rowVersion: number };

/** The organisation's offers as placement sees them, whole machines and what is free of them. */
export async function offerRows(tx: Tx, now: EpochMs): Promise<VersionedOffer[]> {
  const offers = tx
    .selectFrom('offer')
    .innerJoin('party', 'party.id', 'offer.agent')
    .select([
      'offer.offer',
      'offer.agent',
      'offer.epoch',
      'offer.body',
      'offer.row_version',
      'free_cpu_milli',
      'free_memory_bytes',
      'free_disk_bytes',
      'free_gpus',
      'seen_at',
      'locked',
      'draining',
    ])
    .where('removed', '=', false);
  const [rows, custodianAway] = await Promise.all([offers.execute(), isCustodianAway(tx)]);
  return rows.map((row) => {
    const free: FreeResources = {
      cpuMilli: row.free_cpu_milli,
      memoryBytes: row.free_memory_bytes,
      diskBytes: row.free_disk_bytes,
      gpus: row.free_gpus,
    };
    const { site, tier, jurisdictions, isolations, tees, hardLimits } = row.body;
    return {
      offer: row.offer,
      agent: row.agent,
      epoch: row.epoch,
      site,
      tier,
      jurisdictions,
      isolations,
      tees,
      hardLimits,
      // Evidence counts once its documents are verified; an offer's own word is not evidence (invariant 4).
      evidence: [],
      free,
      online: isOnline(row.seen_at, now),
      locked: row.locked !== null,
      draining: row.draining,
      custodianAway,
      diskFull: row.body.diskBytes === 0,
      rowVersion: row.row_version,
    };
  });
}

/**
 * Whether the organisation's custodian was linked once and is not now: no grant would come, so a lease would cost an attempt. A custodian
 * renews no leases, so that the moment when it was last heard is that of its hello.
 */
async function isCustodianAway(tx: Tx): Promise<boolean> {
  const custodians = await tx
    .selectFrom('party')
    .select('seen_at')
    .where('role', '=', 'custodian')
    .where('removed', '=', false)
    .where('connection', '>', 0)
    .execute();
  return custodians.length > 0 && custodians.every(({ seen_at }) => seen_at === null);
}
