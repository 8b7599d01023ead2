import { epochMs, type AgentId, type EpochMs, type OfferId, type ProviderId } from '@ringfence/base';
import type { OfferEvidence } from '@ringfence/policy';
import type { OfferState } from '@ringfence/policy/placement';
import { sql, type Selectable } from 'kysely';
import { isOnline } from '../jobs/clock-terms.ts';
import { isBarred, type Barred } from '../marketplace/is-barred.ts';
import type { Tx } from '../store/open-store.ts';
import type { OfferTable, PartyTable, SiteEvidenceTable } from '../store/tables.ts';
import { OWN } from './own-sites.ts';

/** Which version of an offer's row there is, and how its agent stands: what has to be looked at before each placement. */
export interface OfferMark {
  readonly offer: OfferId;
  readonly agent: AgentId;
  readonly rowVersion: number;
  readonly standing: Standing;
  /** What follows from its standing and the time. */
  readonly state: OfferState;
}

/**
 * What is known of an offer's agent, and why it counts as locked, although it is not: it was admitted until then, or is avoided until then.
 * What follows from it changes with the time, too.
 */
export interface Standing extends Barred {
  /** When it was last heard, as far as that was read. */
  readonly seenAt: number | null;
  readonly locked: boolean;
  readonly draining: boolean;
}

/** An offer as its agent sent it, and what of it is free. */
export type StoredOffer = Pick<Selectable<OfferTable>, (typeof COLUMNS)[number]> & {
  /** What its custodian says of its site; its agent's own word is not evidence. */
  readonly evidence: readonly OfferEvidence[];
  /** Whose its custodian says that it is, and where; null what it did not say. */
  readonly vouched: Vouched;
};

type Vouched = Pick<Selectable<PartyTable>, 'tier' | 'site' | 'places' | 'provider'>;

/** The most claims that the placer takes of one offer. */
const MOST_CLAIMS = 32;

const COLUMNS = [
  'offer',
  'agent',
  'epoch',
  'row_version',
  'body',
  'free_cpu_milli',
  'free_memory_bytes',
  'free_disk_bytes',
  'free_gpus',
  'ended',
  'lost',
  'ran_ms',
] as const;

/** How an offer's agent stands at `now`. */
export function stateAt(standing: Standing, now: EpochMs): OfferState {
  const { seenAt, locked, draining } = standing;
  return { online: isOnline(seenAt, now), locked: locked || isBarred(standing, now), draining };
}

/** The rows of these offers. */
export async function storedOffers(tx: Tx, offers: readonly OfferId[]): Promise<StoredOffer[]> {
  // One parameter, however many there are.
  const these = sql<OfferId>`any(${offers}::text[])`;
  const rows = await tx
    .selectFrom('offer')
    .innerJoin('party', 'party.id', 'offer.agent')
    .select(COLUMNS)
    .select(['party.tier', 'party.site', 'party.places', 'party.provider'])
    .where('offer', '=', these)
    .execute();
  const claims = await claimsOf(tx, [...new Set(rows.map(({ body }) => body.site))]);
  return rows.map(({ tier, site, places, provider, ...row }) => {
    const vouched = { tier, site, places, provider };
    return { ...row, evidence: claims.of(row.body.site, ownerOf(vouched)), vouched };
  });
}

/** About whose sites documents count there; undefined, for one of which the custodian did not say enough: anybody's. */
function ownerOf({ tier, provider }: Vouched): ProviderId | typeof OWN | undefined {
  return tier === 'private' ? OWN : (provider ?? undefined);
}

interface ClaimRow extends Pick<Selectable<SiteEvidenceTable>, 'site' | 'provider'> {
  readonly claim: OfferEvidence;
}

/** Documents about sites, those that are to be taken first in front. */
class SiteClaims {
  readonly #bySite: ReadonlyMap<string, readonly ClaimRow[]>;
  readonly #found = new Map<string, readonly OfferEvidence[]>();

  constructor(rows: readonly ClaimRow[]) {
    this.#bySite = Map.groupBy(rows, ({ site }) => site);
  }

  /** As many as count at a site of `owner`; what is about nobody in particular counts for all, as everything does for undefined. */
  of(site: string, owner: string | undefined): readonly OfferEvidence[] {
    const key = `${site} ${owner ?? ''}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const rows = (this.#bySite.get(site) ?? []).filter(
      ({ provider }) => provider === null || owner === undefined || provider === owner,
    );
    const claims = rows.slice(0, MOST_CLAIMS).map(({ claim }) => claim);
    this.#found.set(key, claims);
    return claims;
  }
}

/**
 * What counts at each of these sites: of each standard and grade what lasts longest, then, as far as there is room, what lasts longest of the rest,
 * and so on. So documents of one kind cannot keep another kind out, nor those about another provider any.
 */
async function claimsOf(tx: Tx, sites: readonly string[]): Promise<SiteClaims> {
  const ranked = tx
    .selectFrom('site_evidence')
    .select(['site', 'provider', 'evidence', 'standard', 'grade', 'from_at', 'until_at'])
    .select(
      sql`row_number() over (partition by site, provider, standard, grade order by until_at desc, evidence)`.as(
        'place',
      ),
    )
    .where('site', '=', sql<string>`any(${sites}::text[])`);
  const rows = await tx
    .selectFrom(ranked.as('ranked'))
    .select(['site', 'provider', 'evidence', 'standard', 'grade', 'from_at', 'until_at'])
    .where('place', '<=', MOST_CLAIMS)
    .orderBy('place')
    .orderBy('until_at', 'desc')
    .orderBy('evidence')
    .execute();
  return new SiteClaims(
    rows.map(({ site, provider, evidence: digest, standard, grade, from_at, until_at }) => {
      const claim = { digest, standard, grade, issuedAt: epochMs(from_at), notAfter: epochMs(until_at) };
      return { site, provider, claim };
    }),
  );
}

/**
 * Whether the organisation's custodian was linked once and is not now: no grant would come, so a lease would cost an attempt. A custodian
 * renews no leases, so that the moment when it was last heard is that of its hello.
 */
export async function isCustodianAway(tx: Tx): Promise<boolean> {
  const custodians = await tx
    .selectFrom('party')
    .select('seen_at')
    .where('role', '=', 'custodian')
    .where('removed', '=', false)
    .where('connection', '>', 0)
    .execute();
  return custodians.length > 0 && custodians.every(({ seen_at }) => seen_at === null);
}
