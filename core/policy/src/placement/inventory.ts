import type { OfferId, SiteId } from '@ringfence/base';
import { LEAST_PRICE } from './bound-tree.ts';
import { ChangeLog } from './change-log.ts';
import { OfferClass, classKey } from './offer-class.ts';
import { HOURS_PER_GB, LOSS, SLOWNESS, cell } from './offer-row-layout.ts';
import type { FreeCapacity, PlacementOffer } from './placement-offer.ts';
import { without, withBack, type Take } from './take.ts';

/** Where an offer lies: the number of its class, and its slot there. */
export interface Place {
  readonly offerClass: number;
  readonly slot: number;
}

/** What of an offer changes without a new offer. */
export type OfferState = Pick<PlacementOffer, 'online' | 'locked' | 'draining'>;

const LOG_LENGTH = 8_192;
/** Classes without offers are kept, since what was worked out for them may come to use, up to so many. */
const MOST_EMPTY = 256;

/** All offers of one organisation's placer, by class; every change raises {@link Inventory.epoch}. */
export class Inventory {
  readonly log = new ChangeLog(LOG_LENGTH);
  #classes: OfferClass[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #places = new Map<OfferId, Place>();
  readonly #sites = new Map<SiteId, number>();
  #epoch: number;
  #layout = 0;
  #lowered = 0;
  #empty = 0;

  /** Empty; epochs go on after `epoch`, so that a placer that starts anew does not repeat one. */
  constructor(epoch = 0) {
    this.#epoch = epoch;
  }

  /** Rises with each change; receipts name it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many offers there are. */
  get size(): number {
    return this.#places.size;
  }

  /** Rises when classes get other numbers: whatever was worked out for them is void. */
  get layout(): number {
    return this.#layout;
  }

  /** Rises when the least score of a class may have gone down. */
  get lowered(): number {
    return this.#lowered;
  }

  /** The classes by their numbers; empty ones too. */
  get classes(): readonly OfferClass[] {
    return this.#classes;
  }

  /** The number of a site in rows; -1 for one where no offer ever was. */
  siteNumber(site: SiteId): number {
    return this.#sites.get(site) ?? -1;
  }

  /** Where an offer lies now. */
  locate(id: OfferId): Place | undefined {
    return this.#places.get(id);
  }

  /** An offer as it came in and what is free of it now. */
  find(id: OfferId): { readonly offer: PlacementOffer; readonly free: FreeCapacity } | undefined {
    const place = this.#places.get(id);
    const offerClass = place === undefined ? undefined : this.#classes[place.offerClass];
    if (place === undefined || offerClass === undefined) return undefined;
    const offer = offerClass.offerAt(place.slot);
    const free = offerClass.freeAt(place.slot);
    return offer === undefined || free === undefined ? undefined : { offer, free };
  }

  /** Puts many offers in at once: the cheap ones of a class lie together, so that bounds tell more. */
  load(offers: readonly PlacementOffer[]): void {
    const touched = new Set<OfferClass>();
    for (const offer of offers.toSorted(inRowOrder)) {
      this.remove(offer.offer);
      const number = this.#classFor(offer);
      const offerClass = this.#classAt(number);
      this.#places.set(offer.offer, { offerClass: number, slot: offerClass.put(offer, this.#siteFor(offer.site)) });
      touched.add(offerClass);
    }
    for (const offerClass of touched) offerClass.rebuild();
    this.#lowered += 1;
    this.log.reset();
    this.#epoch += 1;
  }

  /** Puts one offer in, in the place of the one that had its id. */
  put(offer: PlacementOffer): void {
    const place = this.#places.get(offer.offer);
    if (place !== undefined && this.#classAt(place.offerClass).key === classKey(offer)) {
      this.#change(place, (offerClass) => offerClass.put(offer, this.#siteFor(offer.site), place.slot));
      return;
    }
    this.remove(offer.offer);
    const number = this.#classFor(offer);
    const offerClass = this.#classAt(number);
    const slot = offerClass.nextSlot;
    this.#places.set(offer.offer, { offerClass: number, slot });
    this.#change({ offerClass: number, slot }, () => offerClass.put(offer, this.#siteFor(offer.site), slot));
  }

  /** Takes an offer out; false if it was not in. */
  remove(id: OfferId): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    this.#places.delete(id);
    this.#change(place, (offerClass) => offerClass.clear(place.slot));
    if (this.#classAt(place.offerClass).size === 0) this.#empty += 1;
    if (this.#empty > Math.max(MOST_EMPTY, this.#classes.length / 2)) this.#compact();
    return true;
  }

  /** Says anew whether an offer's agent is there, locked, or draining; false if the offer is not in. */
  setState(id: OfferId, state: OfferState): boolean {
    const found = this.find(id);
    if (found !== undefined) this.put({ ...found.offer, ...state, free: found.free });
    return found !== undefined;
  }

  /** Takes from what is free; false, and nothing is taken, when it is not there. */
  reserve(id: OfferId, take: Take): boolean {
    return this.#changeFree(id, (free) => without(free, take));
  }

  /** Gives back what {@link reserve} took; false, and nothing changes, when that cannot be. */
  release(id: OfferId, take: Take): boolean {
    return this.#changeFree(id, (free) => withBack(free, take));
  }

  #changeFree(id: OfferId, change: (free: FreeCapacity) => FreeCapacity | undefined): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    const free = this.#classAt(place.offerClass).freeAt(place.slot);
    const next = free === undefined ? undefined : change(free);
    if (next === undefined) return false;
    const offerClass = this.#classAt(place.offerClass);
    this.log.begin(offerClass, place.slot);
    offerClass.setFree(place.slot, next);
    this.log.commit(offerClass, place.slot, place.offerClass);
    this.#epoch += 1;
    return true;
  }

  #change({ offerClass: number, slot }: Place, change: (offerClass: OfferClass) => unknown): void {
    const offerClass = this.#classAt(number);
    const [price, slowness, loss, hours] = leastOf(offerClass);
    this.log.begin(offerClass, slot);
    change(offerClass);
    this.log.commit(offerClass, slot, number);
    offerClass.refresh(slot);
    const after = leastOf(offerClass);
    if (after[0] < price || after[1] < slowness || after[2] < loss || after[3] < hours) this.#lowered += 1;
    this.#epoch += 1;
  }

  #classAt(number: number): OfferClass {
    const found = this.#classes[number];
    if (found === undefined) throw new RangeError('no such class of offers');
    return found;
  }

  #classFor(offer: PlacementOffer): number {
    const key = classKey(offer);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (this.#classAt(known).size === 0) this.#empty -= 1;
      return known;
    }
    this.#byKey.set(key, this.#classes.length);
    return this.#classes.push(new OfferClass(key, offer)) - 1;
  }

  #siteFor(site: SiteId): number {
    const known = this.#sites.get(site) ?? this.#sites.size;
    this.#sites.set(site, known);
    return known;
  }

  #compact(): void {
    const kept = this.#classes.filter(({ size }) => size > 0);
    this.#classes = kept;
    this.#byKey.clear();
    for (const [number, offerClass] of kept.entries()) {
      this.#byKey.set(offerClass.key, number);
      offerClass.records.fill(0);
      for (const [slot, id] of offerClass.ids()) this.#places.set(id, { offerClass: number, slot });
    }
    this.#empty = 0;
    this.#layout += 1;
    this.log.forgetRecords();
  }
}

/** What bounds the scores of a class. */
function leastOf({ tree: { root } }: OfferClass): readonly [number, number, number, number] {
  const at = (place: number) => cell(root, LEAST_PRICE + place);
  return [at(0), at(SLOWNESS), at(LOSS), at(HOURS_PER_GB)];
}

function inRowOrder(a: PlacementOffer, b: PlacementOffer): number {
  return (
    (a.price?.microUnits ?? 0) - (b.price?.microUnits ?? 0) ||
    b.speed - a.speed ||
    b.reliability - a.reliability ||
    (a.offer < b.offer ? -1 : 1)
  );
}
