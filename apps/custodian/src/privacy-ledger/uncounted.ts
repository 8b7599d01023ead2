import { epochMs, type ArtifactId, type EpochMs, type JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Tx } from '../store/open-store.ts';

/** Uses of one dataset by one job or contract of which nothing was counted. */
export interface UncountedUses {
  readonly artifact: ArtifactId;
  readonly contract: Digest | null;
  readonly job: JobId | null;
  readonly times: number;
  readonly first: EpochMs;
  readonly last: EpochMs;
}

/** Every release of these artifacts that was not counted, rounds by their contract and starts by their job, the newest first. */
export async function uncountedOf(tx: Tx, artifacts: readonly ArtifactId[]): Promise<UncountedUses[]> {
  const rounds = await uses(tx, artifacts)
    .select('contract')
    .where('contract', 'is not', null)
    .groupBy('contract')
    .execute();
  const starts = await uses(tx, artifacts).select('job').where('contract', 'is', null).groupBy('job').execute();
  const rows = [...rounds.map((row) => ({ ...row, job: null })), ...starts.map((row) => ({ ...row, contract: null }))];
  return rows
    .map(({ times, first, last, ...row }) => ({
      ...row,
      times: Number(times),
      first: epochMs(Number(first)),
      last: epochMs(Number(last)),
    }))
    .toSorted((a, b) => b.last - a.last);
}

function uses(tx: Tx, artifacts: readonly ArtifactId[]) {
  return tx
    .selectFrom('privacy_entry')
    .select((of) => [
      'artifact' as const,
      of.fn.countAll<number>().as('times'),
      of.fn.min('at').as('first'),
      of.fn.max('at').as('last'),
    ])
    .where('artifact', 'in', artifacts)
    .where('kind', '=', 'uncounted')
    .groupBy('artifact');
}
