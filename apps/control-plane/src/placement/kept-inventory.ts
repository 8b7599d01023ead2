import type { AgentId, EpochMs, OfferId } from '@ringfence/base';
import {
  Inventory,
  Placer,
  type OfferFault,
  type Placement,
  type PlacementOffer,
  type PlacementRequest,
  type Take,
  type WhyNot,
} from '@ringfence/policy/placement';
import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';
import { isOnline } from '../jobs/clock-terms.ts';
import type { Tx } from '../store/open-store.ts';
import { readMarks } from './offer-marks.ts';
import { isCustodianAway, stateAt, storedOffers, type OfferMark, type StoredOffer } from './offer-rows.ts';
import { placementOffer } from './placement-offer.ts';
import { withoutCustodian } from './without-custodian.ts';

/** An offer that is known, whether jobs may go there or not. */
export interface KnownOffer {
  readonly mark: OfferMark;
  /** What is wrong with one that gets no jobs for it. */
  readonly faults: readonly OfferFault[];
  readonly found: ReturnType<Inventory['find']>;
}

/** How much is kept worked out: it grows with the offers of the organisation and the requirements that its members think of. */
export type KeptLimits = Omit<ConstructorParameters<typeof Placer>[1], 'currency'>;

/** For who places: a fleet of one kind keeps 256 requirements, one of 10,000 kinds twenty. */
export const PLACING: KeptLimits = { mostFitted: 200_000 };
/** For who asks and reserves nothing. */
export const ASKING: KeptLimits = { mostFits: 16, mostTallies: 64, mostFitted: 200_000 };

/** In which costs of jobs without a price limit are compared. */
const CURRENCY = 'EUR';

/** One organisation's offers as the placer knows them, kept in step with the database: each row is read again when its version says so. */
export class KeptInventory {
  readonly #inventory = new Inventory();
  readonly #placer: Placer;
  readonly #known = new Map<OfferId, OfferMark>();
  readonly #faults = new Map<OfferId, readonly OfferFault[]>();
  #custodianAway = false;
  #epoch = 0;
  /** Up to where changes were read; undefined: all is to be read. */
  #read: { readonly snapshot: string } | undefined;

  constructor(limits: KeptLimits) {
    this.#placer = new Placer(this.#inventory, { currency: CURRENCY, ...limits });
  }

  /** The sum of the rows' versions: rises with each change of an offer, whichever process looks. Receipts name it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Reads what changed since it was asked last; has to be asked in the transaction that decides. */
  async bringUpToDate(tx: Tx, now: EpochMs): Promise<void> {
    const before = this.#read;
    const known = before === undefined ? undefined : { ...before, silent: this.#silentAt(now) };
    const [{ marks, gone, snapshot }, custodianAway] = await Promise.all([
      readMarks(tx, now, known),
      isCustodianAway(tx),
    ]);
    const changed = marks.filter(({ offer, rowVersion }) => this.#known.get(offer)?.rowVersion !== rowVersion);
    const rows =
      changed.length === 0
        ? []
        : await storedOffers(
            tx,
            changed.map(({ offer }) => offer),
          );
    // Nothing waits from here on, so that whoever asks at the same time finds all of it or nothing.
    this.#custodianAway = custodianAway;
    if (gone === undefined) this.#keepOnly(new Set(marks.map(({ offer }) => offer)));
    else this.#forget(gone);
    for (const { offer, standing } of marks) this.#noteStanding(offer, standing);
    this.#take(rows, new Map(marks.map((mark) => [mark.offer, mark])));
    this.#noteStates(now);
    // Two that ask at the same time may finish in the other order: who looks next then reads all.
    this.#read = this.#read === before ? { snapshot } : undefined;
  }

  /** Reads offers again, some of which somebody else has changed; what was noted as reserved there counts no more. */
  async readAgain(tx: Tx, offers: readonly OfferId[]): Promise<void> {
    const rows = await storedOffers(tx, offers);
    const there = new Set(rows.map(({ offer }) => offer));
    this.#forget(offers.filter((offer) => !there.has(offer)));
    this.#take(rows, this.#known);
  }

  /** Decides where `request` goes, never to an offer in `except`; reserves nothing. */
  place(request: PlacementRequest, except?: ReadonlySet<OfferId>): Placement {
    const placement = this.#placer.place(request, except);
    return this.#custodianAway ? withoutCustodian(placement) : placement;
  }

  /** All that one offer fails for `request`, or its score; undefined for one that is not there, or takes no jobs at all. */
  whyNot(request: PlacementRequest, offer: OfferId): WhyNot | undefined {
    const why = this.#placer.whyNot(request, offer);
    if (why === undefined || !this.#custodianAway) return why;
    const failed = new Set<Constraint>(['custodian-away', ...(why.fits ? [] : why.failed)]);
    return { fits: false, failed: CONSTRAINTS.filter((constraint) => failed.has(constraint)) };
  }

  /** All offers, those that get no jobs too. */
  all(): KnownOffer[] {
    return [...this.#known.values()].map((mark) => ({
      mark,
      faults: this.#faults.get(mark.offer) ?? [],
      found: this.#inventory.find(mark.offer),
    }));
  }

  /** The version of an offer's row that a reservation must still find. */
  versionOf(offer: OfferId): number | undefined {
    return this.#known.get(offer)?.rowVersion;
  }

  /** Notes what the transaction takes of an offer, which raises the version of its row by one. */
  noteReserved(offer: OfferId, take: Take): void {
    const known = this.#known.get(offer);
    if (known === undefined || !this.#inventory.reserve(offer, take))
      throw new RangeError('what was reserved was not free');
    this.#know({ ...known, rowVersion: known.rowVersion + 1 });
  }

  /** Takes back the newest {@link noteReserved} of an offer: the transaction takes that no more. */
  noteGivenBack(offer: OfferId, take: Take): void {
    const known = this.#known.get(offer);
    if (known === undefined || !this.#inventory.release(offer, take))
      throw new RangeError('what is given back was not reserved');
    this.#know({ ...known, rowVersion: known.rowVersion - 1 });
  }

  /** The offer as it came in, and what of it is free now. */
  find(offer: OfferId): ReturnType<Inventory['find']> {
    return this.#inventory.find(offer);
  }

  #keepOnly(present: ReadonlySet<OfferId>): void {
    this.#forget([...this.#known.keys()].filter((offer) => !present.has(offer)));
  }

  #forget(gone: readonly OfferId[]): void {
    for (const offer of gone) {
      this.#epoch -= this.#known.get(offer)?.rowVersion ?? 0;
      this.#known.delete(offer);
      this.#faults.delete(offer);
      this.#inventory.remove(offer);
    }
  }

  /** Agents that would count as away by when they were last read to be heard. */
  #silentAt(now: EpochMs): AgentId[] {
    const silent: AgentId[] = [];
    for (const { agent, standing } of this.#known.values())
      if (standing.seenAt !== null && !isOnline(standing.seenAt, now)) silent.push(agent);
    return silent;
  }

  #know(mark: OfferMark): void {
    this.#epoch += mark.rowVersion - (this.#known.get(mark.offer)?.rowVersion ?? 0);
    this.#known.set(mark.offer, mark);
  }

  #noteStanding(offer: OfferId, standing: OfferMark['standing']): void {
    const known = this.#known.get(offer);
    if (known !== undefined) this.#know({ ...known, standing });
  }

  /** What follows from the time, for all: an offer's state may change although nobody wrote anything. */
  #noteStates(now: EpochMs): void {
    for (const known of this.#known.values()) {
      const state = stateAt(known.standing, now);
      if (isSame(known.state, state)) continue;
      this.#know({ ...known, state });
      this.#inventory.setState(known.offer, state);
    }
  }

  #take(rows: readonly StoredOffer[], marks: ReadonlyMap<OfferId, OfferMark>): void {
    const good: PlacementOffer[] = [];
    for (const row of rows) {
      const mark = marks.get(row.offer);
      if (mark === undefined) continue;
      this.#know({ ...mark, rowVersion: row.row_version });
      const read = placementOffer(row, mark.state);
      if (read.allow) {
        this.#faults.delete(row.offer);
        good.push(read.offer);
      } else {
        this.#faults.set(row.offer, read.reasons);
        this.#inventory.remove(row.offer);
      }
    }
    if (this.#inventory.size === 0) this.#inventory.load(good);
    else for (const offer of good) this.#inventory.put(offer);
  }
}

function isSame(a: OfferMark['state'], b: OfferMark['state']): boolean {
  return a.online === b.online && a.locked === b.locked && a.draining === b.draining;
}
