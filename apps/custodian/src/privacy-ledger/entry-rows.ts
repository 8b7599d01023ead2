import type { ArtifactId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Selectable } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { PrivacyEntryTable } from '../store/privacy-tables.ts';

/** A use of a dataset that is to be written down. */
export interface NewEntry extends Pick<Selectable<PrivacyEntryTable>, 'kind' | 'debit' | 'at'> {
  readonly dataset: ArtifactId;
  /** None of a job that is of no federation. */
  readonly contract?: Digest;
  readonly round?: number;
  readonly job: JobId;
  readonly attempt: number;
}

/** What makes a round one, whoever asks for it. */
export function roundSource({ contract, round }: { readonly contract: Digest; readonly round: number }): string {
  return `round:${contract}:${round}`;
}

/** What was debited under a source. */
export async function entryOf(
  tx: Tx,
  artifact: ArtifactId,
  source: string,
): Promise<Pick<Selectable<PrivacyEntryTable>, 'job' | 'attempt' | 'debit'> | undefined> {
  return tx
    .selectFrom('privacy_entry')
    .select(['job', 'attempt', 'debit'])
    .where('artifact', '=', artifact)
    .where('kind', '=', 'spent')
    .where('source', '=', source)
    .executeTakeFirst();
}

/** Writes a use down; false when it is already. */
export async function insertEntry(tx: Tx, org: OrgId, entry: NewEntry): Promise<boolean> {
  const { dataset: artifact, contract, round, job, attempt, kind, debit, at } = entry;
  const byAttempt = `attempt:${job}:${attempt}`;
  const ofRound = contract === undefined || round === undefined ? undefined : roundSource({ contract, round });
  const source = ofRound === undefined ? byAttempt : kind === 'uncounted' ? `${ofRound}:${byAttempt}` : ofRound;
  const written = await tx
    .insertInto('privacy_entry')
    .values({
      artifact,
      kind,
      source,
      org,
      job,
      attempt,
      debit,
      at,
      contract: contract ?? null,
      round: round ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('source')
    .executeTakeFirst();
  return written !== undefined;
}
