import { canonicalJson, type MonotonicMs, type OfferId } from '@ringfence/base';
import { burstTiers } from '@ringfence/policy/burst';
import { takeOf, WHOLE_GPU, type PlacementOffer, type PlacementRequest } from '@ringfence/policy/placement';
import type { MessageBody } from '@ringfence/protocol/messages';
import { ROOM_CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';
import { addGpus } from '../placement/gpu-counts.ts';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import type { Tx } from '../store/open-store.ts';

/** What is true of a machine now and need not be when others have ended there. */
const PASSING: ReadonlySet<Constraint> = new Set([
  'agent-offline',
  'agent-draining',
  'custodian-away',
  ...ROOM_CONSTRAINTS,
]);
/** Evidence and moments count too: what a shape of jobs may use is worked out anew after so long. */
const KEPT_MS = 30_000;

type Capacity = PlacementOffer['free'];

/** Which machines a shape of jobs could use if nothing ran there. */
interface Shape {
  readonly homes: readonly OfferId[];
  /** Some machine away from home could take it. */
  readonly mayBurst: boolean;
}

/** What requests share that the same machines could take. */
export function shapeName({ placement, label, wishes }: PlacementRequest): string {
  const { priority: _priority, retryOn: _retry, preemptible: _preemptible, gang: _gang, ...asked } = placement;
  return canonicalJson({
    asked,
    label: [label.sensitivity, label.residency, label.acceptProviderPlaintext ?? null],
    wishes,
  } as never);
}

/** What is remembered between looks of one organisation: which machines there are, all that each has, and what could use them. */
export class HomeFleet {
  #key = '';
  #at: MonotonicMs | undefined;
  #capacity: ReadonlyMap<OfferId, Capacity> = new Map();
  readonly #shapes = new Map<string, Shape>();

  /** Forgets what is no longer so; `kept` is up to date. */
  async refresh(tx: Tx, kept: KeptInventory, now: MonotonicMs): Promise<void> {
    const known = kept.all();
    const key = `${known.length} ${known.reduce((sum, { found }) => sum + (found?.offer.epoch ?? 0), 0)}`;
    if (key === this.#key && this.#at !== undefined && now - this.#at < KEPT_MS) return;
    const rows = await tx.selectFrom('offer').select(['offer', 'body']).execute();
    this.#key = key;
    this.#at = now;
    this.#capacity = new Map(rows.map(({ offer, body }) => [offer, capacityOf(body)]));
    this.#shapes.clear();
  }

  /** Which machines could take what `request` asks for, whose shape has the name `name`. */
  shapeOf(kept: KeptInventory, request: PlacementRequest, name: string): Shape {
    const known = this.#shapes.get(name) ?? this.#workOut(kept, request);
    this.#shapes.set(name, known);
    return known;
  }

  #workOut(kept: KeptInventory, request: PlacementRequest): Shape {
    const { placement, label } = request;
    const away = burstTiers(placement, label);
    const homes: OfferId[] = [];
    let mayBurst = false;
    for (const { mark, found } of kept.all()) {
      if (found === undefined) continue;
      const { tier } = found.offer;
      if (tier !== 'private' && (mayBurst || !away.includes(tier))) continue;
      if (!this.#couldTake(kept, request, mark.offer)) continue;
      if (tier === 'private') homes.push(mark.offer);
      else mayBurst = true;
    }
    // No end of a lease bounds what it would cost away from home.
    return { homes, mayBurst: mayBurst && placement.onPartition !== 'keep' };
  }

  #couldTake(kept: KeptInventory, request: PlacementRequest, offer: OfferId): boolean {
    const why = kept.whyNot(request, offer);
    const all = this.#capacity.get(offer);
    if (why === undefined || all === undefined) return false;
    if (why.fits) return true;
    const passing = why.failed.every((constraint) => PASSING.has(constraint));
    return passing && takeOf(all, request.placement, request.wishes ?? {}) !== undefined;
  }
}

/** All that a machine has. */
function capacityOf({ cpuMilli, memoryBytes, diskBytes, gpus }: MessageBody<'offer'>): Capacity {
  const kinds = addGpus([], gpus, 1).map(({ model, memoryBytes: bytes, count }) => ({
    model,
    memoryBytes: bytes,
    cards: Array.from({ length: count }, () => WHOLE_GPU),
  }));
  return { cpuMilli, memoryBytes, diskBytes, gpus: kinds };
}
