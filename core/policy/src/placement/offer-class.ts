import type { OfferId } from '@ringfence/base';
import { BoundTree, FAN_OUT, NODE } from './bound-tree.ts';
import { ROW, writeFree, writeRow } from './offer-row-layout.ts';
import type { FreeCapacity, PlacementOffer } from './placement-offer.ts';

/** Names everything that offers of one class have in common: what their constraints and the route of data to them read. */
export function classKey(offer: PlacementOffer): string {
  const { tier, region, customerKeys, hardLimits, spot, price, free } = offer;
  const lists = [offer.jurisdictions, offer.isolations, offer.tees, offer.egress];
  const claims = offer.evidence.map(({ digest, standard, grade, issuedAt, notAfter }) =>
    [digest, standard, grade, issuedAt, notAfter].join(':'),
  );
  return [
    tier,
    region,
    ...lists.map((list) => list.toSorted().join()),
    customerKeys,
    hardLimits,
    spot,
    price?.currency ?? '',
    claims.toSorted().join(),
    free.gpus.map(({ model, memoryBytes }) => `${model}:${memoryBytes}`).join(),
  ].join(';');
}

/** The offers of one class: their rows, and bounds over them. A slot whose offer went is used again. */
export class OfferClass {
  readonly key: string;
  /** An offer of the class, for what all have in common. */
  readonly sample: PlacementOffer;
  /** All of one currency, or without a price. */
  readonly currency: string | undefined;
  rows = new Float64Array(FAN_OUT * ROW);
  /** The number of each slot's record in the change log, which keeps it; 0 for none. */
  records = new Int32Array(FAN_OUT);
  readonly tree = new BoundTree();
  readonly #offers: (PlacementOffer | undefined)[] = [];
  readonly #free: (FreeCapacity | undefined)[] = [];
  readonly #empty: number[] = [];
  /** First slots of the lowest nodes whose most is not what it says. */
  readonly #stale = new Set<number>();
  #present = 0;

  constructor(key: string, sample: PlacementOffer) {
    this.key = key;
    this.sample = sample;
    this.currency = sample.price?.currency;
  }

  /** How many slots there are, empty ones too. */
  get slots(): number {
    return this.#offers.length;
  }

  /** How many offers there are. */
  get size(): number {
    return this.#present;
  }

  /** Where the next offer goes. */
  get nextSlot(): number {
    return this.#empty.at(-1) ?? this.#offers.length;
  }

  /** The ids of its offers, by slot. */
  *ids(): Generator<readonly [slot: number, id: OfferId]> {
    for (const [slot, offer] of this.#offers.entries()) if (offer !== undefined) yield [slot, offer.offer];
  }

  /** The offer at `slot` as it came in; undefined for an empty one. */
  offerAt(slot: number): PlacementOffer | undefined {
    return this.#offers[slot];
  }

  /** What is free at `slot` now; undefined for an empty one. */
  freeAt(slot: number): FreeCapacity | undefined {
    return this.#free[slot];
  }

  /** Puts `offer` in a slot and returns it; bounds are up to date only after {@link refresh} or {@link rebuild}. */
  put(offer: PlacementOffer, site: number, at = this.nextSlot): number {
    if (at === this.#empty.at(-1)) this.#empty.pop();
    if ((at + 1) * ROW > this.rows.length) {
      const wider = new Float64Array(this.rows.length * 2);
      wider.set(this.rows);
      this.rows = wider;
      const { records } = this;
      this.records = new Int32Array(records.length * 2);
      this.records.set(records);
    }
    if (this.#offers[at] === undefined) this.#present += 1;
    this.#offers[at] = offer;
    this.#free[at] = offer.free;
    writeRow(this.rows, at * ROW, offer, site);
    return at;
  }

  /** Empties `slot`. */
  clear(slot: number): void {
    if (this.#offers[slot] === undefined) return;
    this.#offers[slot] = undefined;
    this.#free[slot] = undefined;
    this.#present -= 1;
    this.#empty.push(slot);
    this.rows.fill(0, slot * ROW, (slot + 1) * ROW);
  }

  /** Writes what is free at `slot` now. */
  setFree(slot: number, free: FreeCapacity): void {
    if (this.#offers[slot] === undefined) return;
    this.#free[slot] = free;
    writeFree(this.rows, slot * ROW, free);
    this.#stale.add(slot - (slot % FAN_OUT));
  }

  /** The bounds over all rows; those that reservations made stale are brought up to date only here. */
  get bounds(): BoundTree {
    if (this.#stale.size > 0) {
      for (const slot of this.#stale) this.tree.update(this.rows, this.slots, slot);
      this.#stale.clear();
    }
    return this.tree;
  }

  /** Brings the bounds above `slot` up to date. */
  refresh(slot: number): void {
    const width = Math.ceil(this.slots / FAN_OUT);
    const [rows] = this.tree.levels;
    if (rows === undefined || rows.length < width * NODE) this.rebuild();
    else this.tree.update(this.rows, this.slots, slot);
  }

  /** Builds the bounds anew. */
  rebuild(): void {
    this.#stale.clear();
    this.tree.build(this.rows, this.slots);
  }
}
