import { epochMs, type AgentId, type EpochMs, type OfferId } from '@ringfence/base';
import type { OfferEvidence } from '@ringfence/policy';
import type { OfferState } from '@ringfence/policy/placement';
import { sql, type Selectable } from 'kysely';
import { isOnline } from '../jobs/clock-terms.ts';
import type { Tx } from '../store/open-store.ts';
import type { OfferTable, PartyTable } from '../store/tables.ts';

/** Which version of an offer's row there is, and how its agent stands: what has to be looked at before each placement. */
export interface OfferMark {
  readonly offer: OfferId;
  readonly agent: AgentId;
  readonly rowVersion: number;
  readonly state: OfferState;
}

/** An offer as its agent sent it, and what of it is free. */
export type StoredOffer = Pick<Selectable<OfferTable>, (typeof COLUMNS)[number]> & {
  /** What its custodian says of its site; its agent's own word is not evidence. */
  readonly evidence: readonly OfferEvidence[];
  /** Where its custodian says that it is; null when it did not say. */
  readonly vouched: Pick<Selectable<PartyTable>, 'tier' | 'site'>;
};

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
] as const;

/** A mark for each offer of the organisation's agents that were not removed. */
export async function offerMarks(tx: Tx, now: EpochMs): Promise<OfferMark[]> {
  const rows = await tx
    .selectFrom('offer')
    .innerJoin('party', 'party.id', 'offer.agent')
    .select(['offer.offer', 'offer.agent', 'offer.row_version', 'seen_at', 'locked'])
    .select(sql<boolean>`party.draining or offer.cordoned`.as('draining'))
    .where('removed', '=', false)
    .execute();
  return rows.map(({ offer, agent, row_version, seen_at, locked, draining }) => ({
    offer,
    agent,
    rowVersion: row_version,
    state: { online: isOnline(seen_at, now), locked: locked !== null, draining },
  }));
}

/** The rows of these offers. */
export async function storedOffers(tx: Tx, offers: readonly OfferId[]): Promise<StoredOffer[]> {
  // One parameter, however many there are.
  const these = sql<OfferId>`any(${offers}::text[])`;
  const rows = await tx
    .selectFrom('offer')
    .innerJoin('party', 'party.id', 'offer.agent')
    .select(COLUMNS)
    .select(['party.tier', 'party.site'])
    .where('offer', '=', these)
    .execute();
  const claims = await claimsOf(tx, [...new Set(rows.map(({ body }) => body.site))]);
  return rows.map(({ tier, site, ...row }) => ({
    ...row,
    evidence: claims.get(row.body.site) ?? [],
    vouched: { tier, site },
  }));
}

/**
 * What counts at each of these sites: of each standard and grade what lasts longest, then, as far as there is room, what lasts longest of the rest,
 * and so on. So documents of one kind cannot keep another kind out.
 */
async function claimsOf(tx: Tx, sites: readonly string[]): Promise<Map<string, OfferEvidence[]>> {
  const ranked = tx
    .selectFrom('site_evidence')
    .select(['site', 'evidence', 'standard', 'grade', 'from_at', 'until_at'])
    .select(sql`row_number() over (partition by site, standard, grade order by until_at desc, evidence)`.as('place'))
    .where('site', '=', sql<string>`any(${sites}::text[])`);
  const rows = await tx
    .selectFrom(ranked.as('ranked'))
    .select(['site', 'evidence', 'standard', 'grade', 'from_at', 'until_at'])
    .where('place', '<=', MOST_CLAIMS)
    .orderBy('place')
    .orderBy('until_at', 'desc')
    .orderBy('evidence')
    .execute();
  const found = new Map<string, OfferEvidence[]>();
  for (const { site, evidence: digest, standard, grade, from_at, until_at } of rows) {
    const claims = found.get(site) ?? [];
    const claim = { digest, standard, grade, issuedAt: epochMs(from_at), notAfter: epochMs(until_at) };
    if (claims.length < MOST_CLAIMS) found.set(site, [...claims, claim]);
  }
  return found;
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
