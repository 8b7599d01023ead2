import type { OfferId } from '@ringfence/base';
import type { FreeResources } from '@ringfence/policy';
import {
  WHOLE_GPU,
  type ChosenOffer,
  type Placement,
  type PlacementRequest,
  type Take,
} from '@ringfence/policy/placement';
import { sql } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Tx } from '../store/open-store.ts';
import { addGpus } from './gpu-counts.ts';
import type { KeptInventory } from './kept-inventory.ts';

/** So often offers are chosen anew when somebody was faster. */
const MOST_PICKS = 8;

/** A placement and the epoch of the inventory that it was made from. */
export interface Reserved {
  readonly placement: Placement;
  readonly inventoryEpoch: number;
}

/** Asks the placer; an offer in `except` is not chosen. */
export type Place = (request: PlacementRequest, except?: ReadonlySet<OfferId>) => Placement;

/** Where jobs of a turn get their offers one after the other, each from what those before it left. */
export interface OfferDesk {
  /** Lets `decide` choose an offer, and notes as taken what the job gets of it. */
  take(decide: (place: Place) => Placement): Reserved;
  /** The turn takes this no more; the newest of an offer goes first. */
  giveBack(chosen: ChosenOffer): void;
}

/**
 * Lets `choose` take offers for the jobs of a turn, and takes what they get in the caller's transaction: only rows that are as the choices found
 * them. If one changed, nothing is taken, what was chosen is read again, and all is chosen anew. Throws ControlPlaneError `conflict` when that
 * never ends.
 */
export async function reserveOffers<T>(
  tx: Tx,
  kept: KeptInventory,
  choose: (desk: OfferDesk) => T | Promise<T>,
): Promise<T> {
  for (let picks = 0; picks < MOST_PICKS; picks += 1) {
    const taken = new Map<OfferId, TakenOffer>();
    const decided = await choose({
      take: (decide) => take(kept, taken, decide),
      giveBack: (chosen) => noteGivenBack(kept, taken, chosen),
    });
    if (await takeAll(tx, taken)) return decided;
    await kept.readAgain(tx, [...taken.keys()]);
  }
  throw new ControlPlaneError('conflict', 'offers change faster than they can be taken');
}

/** The GPUs that a job gets, as rows count them. */
export function takenGpus({ gpus }: Take): FreeResources['gpus'] {
  return gpus === undefined ? [] : [{ model: gpus.model, memoryBytes: gpus.memoryBytes, count: gpus.cards.length }];
}

/** What a turn takes of one offer, whose row it read at `version`. */
interface TakenOffer {
  readonly version: number;
  jobs: number;
  cpuMilli: number;
  memoryBytes: number;
  diskBytes: number;
  gpusLeft: FreeResources['gpus'];
}

function take(
  kept: KeptInventory,
  taken: Map<OfferId, TakenOffer>,
  decide: Parameters<OfferDesk['take']>[0],
): Reserved {
  const placement = decide((request, except) => kept.place(request, except));
  const inventoryEpoch = kept.epoch;
  if (placement.decision.allow) noteTaken(kept, taken, placement.decision.chosen);
  return { placement, inventoryEpoch };
}

function noteGivenBack(kept: KeptInventory, taken: Map<OfferId, TakenOffer>, { offer, take }: ChosenOffer): void {
  const left = taken.get(offer);
  if (left === undefined) throw new RangeError('what is given back was not taken');
  kept.noteGivenBack(offer, take);
  left.jobs -= 1;
  left.cpuMilli -= take.cpuMilli;
  left.memoryBytes -= take.memoryBytes;
  left.diskBytes -= take.diskBytes;
  left.gpusLeft = addGpus(left.gpusLeft, takenGpus(take), 1);
  if (left.jobs === 0) taken.delete(offer);
}

function noteTaken(kept: KeptInventory, taken: Map<OfferId, TakenOffer>, { offer, take }: ChosenOffer): void {
  const before = taken.get(offer) ?? untaken(kept, offer);
  before.jobs += 1;
  before.cpuMilli += take.cpuMilli;
  before.memoryBytes += take.memoryBytes;
  before.diskBytes += take.diskBytes;
  before.gpusLeft = addGpus(before.gpusLeft, takenGpus(take), -1);
  taken.set(offer, before);
  kept.noteReserved(offer, take);
}

function untaken(kept: KeptInventory, offer: OfferId): TakenOffer {
  const version = kept.versionOf(offer);
  const free = kept.find(offer)?.free;
  if (version === undefined || free === undefined) throw new RangeError('an offer was chosen that is not there');
  const gpusLeft = free.gpus.map(({ model, memoryBytes, cards }) => ({
    model,
    memoryBytes,
    count: cards.filter((milli) => milli === WHOLE_GPU).length,
  }));
  return { version, jobs: 0, cpuMilli: 0, memoryBytes: 0, diskBytes: 0, gpusLeft };
}

/** Takes all or nothing: each row's version rises by one for each job. */
async function takeAll(tx: Tx, taken: ReadonlyMap<OfferId, TakenOffer>): Promise<boolean> {
  if (taken.size === 0) return true;
  const of = <T>(column: (offer: TakenOffer) => T): T[] => [...taken.values()].map(column);
  const { rows } = await sql<{ all_held: boolean }>`
    with taken as (
      select * from unnest(
        ${[...taken.keys()]}::text[], ${of(({ version }) => version)}::bigint[], ${of(({ jobs }) => jobs)}::bigint[],
        ${of(({ cpuMilli }) => cpuMilli)}::bigint[], ${of(({ memoryBytes }) => memoryBytes)}::bigint[],
        ${of(({ diskBytes }) => diskBytes)}::bigint[], ${of(({ gpusLeft }) => JSON.stringify(gpusLeft))}::text[]
      ) as taken (offer, version, jobs, cpu_milli, memory_bytes, disk_bytes, gpus)
    ), held as (
      select offer.offer from offer join taken on offer.offer = taken.offer and offer.row_version = taken.version
      order by offer.offer for no key update of offer
    ), whole as (
      select count(*) = ${taken.size}::bigint as all_held from held
    ), changed as (
      update offer set
        free_cpu_milli = free_cpu_milli - taken.cpu_milli,
        free_memory_bytes = free_memory_bytes - taken.memory_bytes,
        free_disk_bytes = free_disk_bytes - taken.disk_bytes,
        free_gpus = taken.gpus::jsonb,
        row_version = row_version + taken.jobs
      from taken where offer.offer = taken.offer and (select all_held from whole)
    )
    select all_held from whole`.execute(tx);
  return rows[0]?.all_held === true;
}
