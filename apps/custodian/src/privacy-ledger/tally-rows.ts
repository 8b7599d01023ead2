import type { ArtifactId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { PrivacyEvent } from '@ringfence/dp/accountant';
import { addTallies, eventKey, tallyOf, type Counted, type PrivacyUnit, type Tally } from '@ringfence/dp/ledger';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { PrivacyGrade, PrivacyParty } from '../store/privacy-tables.ts';
import { readEvent, readUnit, spellUnit } from './spelled.ts';

/** One kind of thing that was done, how often, and for which contract. */
export interface TallyRow extends Counted {
  readonly contract: Digest | '';
  readonly party: PrivacyParty;
  readonly grade: PrivacyGrade;
  readonly unit: PrivacyUnit;
}

/** What is added to a dataset's tally. */
export interface Addition {
  readonly artifact: ArtifactId;
  readonly era: number;
  readonly contract: Digest | '';
  readonly grade: PrivacyGrade;
  readonly unit: PrivacyUnit;
  readonly events: readonly PrivacyEvent[];
  /** The same as it is for those who know more or less; only told, never debited. */
  readonly views: Readonly<Partial<Record<Exclude<PrivacyParty, 'budget'>, readonly PrivacyEvent[]>>>;
}

/** Counts events in. */
export async function addToTally(tx: Tx, org: OrgId, added: Addition): Promise<void> {
  const { artifact, era, contract, grade, unit, events, views } = added;
  const parties = [['budget', events], ...Object.entries(views)] as (readonly [
    PrivacyParty,
    readonly PrivacyEvent[],
  ])[];
  const rows = parties.flatMap(([party, each]) =>
    tallyOf(each).map(({ event, times }) => ({
      org,
      artifact,
      era,
      contract,
      party,
      grade,
      times,
      unit: spellUnit(unit),
      event: eventKey(event),
    })),
  );
  if (rows.length === 0) return;
  await tx
    .insertInto('privacy_tally')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['artifact', 'era', 'contract', 'party', 'grade', 'unit', 'event'])
        .doUpdateSet({ times: sql<number>`privacy_tally.times + excluded.times` }),
    )
    .execute();
}

/** Everything that was counted of these artifacts since an era began. */
export async function readTally(tx: Tx, artifacts: readonly ArtifactId[], since: number): Promise<TallyRow[]> {
  const rows = await tx
    .selectFrom('privacy_tally')
    .select(['contract', 'party', 'grade', 'unit', 'event'])
    .select((of) => of.fn.sum<number>('times').as('times'))
    .where('artifact', 'in', artifacts)
    .where('era', '>=', since)
    .groupBy(['contract', 'party', 'grade', 'unit', 'event'])
    .orderBy('event')
    .execute();
  return rows.map(({ unit, event, times, ...row }) => ({
    ...row,
    unit: readUnit(unit),
    event: readEvent(event),
    times: Number(times),
  }));
}

/** The events of one party in rows. */
export function eventsFor(rows: readonly TallyRow[], party: PrivacyParty): Tally {
  return addTallies(
    [],
    rows.filter((row) => row.party === party),
  );
}
