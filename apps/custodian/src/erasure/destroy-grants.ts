import { versionRow, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { Tx } from '../store/open-store.ts';

/** Destroys every sealed grant that carries the key of one of these versions, and says how many: such a grant opens what is gone. */
export async function destroyGrants(
  tx: Tx,
  versions: readonly Pick<FoundVersion, 'artifact' | 'version'>[],
): Promise<number> {
  const gone = new Set(versions.map(({ artifact, version }) => versionRow(artifact, version)));
  if (gone.size === 0) return 0;
  const attempts = await tx
    .selectFrom('attempt')
    .select(['job', 'attempt', 'mounts'])
    .where('payload', 'is not', null)
    .execute();
  const named = attempts.filter(({ mounts }) => mounts.some((one) => gone.has(versionRow(one.artifact, one.version))));
  for (const { job, attempt } of named)
    await tx
      .updateTable('attempt')
      .set({ payload: null })
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .execute();
  return named.length;
}
