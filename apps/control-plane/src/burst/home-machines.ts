import { epochMs, type EpochMs, type OfferId } from '@ringfence/base';
import type { HomeMachine } from '@ringfence/policy/burst';
import type { PlacementOffer, Take } from '@ringfence/policy/placement';
import type { Selectable } from 'kysely';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import type { Tx } from '../store/open-store.ts';
import type { AttemptTable, JobTable } from '../store/tables.ts';

type Running = Pick<
  Selectable<AttemptTable>,
  'offer' | 'cpu_milli' | 'memory_bytes' | 'disk_bytes' | 'gpus' | 'running_at'
> &
  Pick<Selectable<JobTable>, 'placement'>;

/** The organisation's own machines that can be used now, what is free of each, and what comes back when. */
export async function homeMachines(tx: Tx, kept: KeptInventory, now: EpochMs): Promise<HomeMachine[]> {
  const rows = await tx
    .selectFrom('attempt')
    .innerJoin('job', 'job.job', 'attempt.job')
    .select(['attempt.offer', 'cpu_milli', 'memory_bytes', 'disk_bytes', 'gpus', 'running_at', 'job.placement'])
    .where('live', '=', true)
    .execute();
  const byOffer = Map.groupBy(rows, ({ offer }) => offer);
  return kept.all().flatMap(({ mark, found }) => {
    const { online, locked, draining } = mark.state;
    if (found?.offer.tier !== 'private' || !online || locked || draining) return [];
    return [machineOf(mark.offer, found.free, { running: byOffer.get(mark.offer) ?? [], now })];
  });
}

function machineOf(
  offer: OfferId,
  free: PlacementOffer['free'],
  { running, now }: { readonly running: readonly Running[]; readonly now: EpochMs },
): HomeMachine {
  const cards = new TakenCards(free);
  return {
    offer,
    free,
    running: running.map((row) => ({
      take: takeOf(row, cards),
      endsBy: epochMs((row.running_at ?? now) + row.placement.maxDurationMs),
    })),
  };
}

function takeOf({ cpu_milli, memory_bytes, disk_bytes, gpus }: Running, cards: TakenCards): Take {
  const take = { cpuMilli: cpu_milli, memoryBytes: memory_bytes, diskBytes: disk_bytes };
  const [kind] = gpus;
  if (kind === undefined) return take;
  const { model, memoryBytes, count } = kind;
  return { ...take, gpus: { model, memoryBytes, cards: cards.next(kind, count), milli: 1_000 } };
}

/** Rows count cards; which they are is made up: those that are not free, each once. */
class TakenCards {
  readonly #taken: ReadonlyMap<string, number[]>;

  constructor({ gpus }: PlacementOffer['free']) {
    this.#taken = new Map(
      gpus.map((kind) => [nameOf(kind), kind.cards.flatMap((milli, card) => (milli === 0 ? [card] : []))]),
    );
  }

  next(kind: { readonly model: string; readonly memoryBytes: number }, count: number): number[] {
    return this.#taken.get(nameOf(kind))?.splice(0, count) ?? [];
  }
}

const nameOf = ({ model, memoryBytes }: { readonly model: string; readonly memoryBytes: number }): string =>
  `${model} ${memoryBytes}`;
