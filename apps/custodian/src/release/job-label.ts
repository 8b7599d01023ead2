import type { JobId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import type { Sensitivity } from '@ringfence/protocol';
import type { Tx } from '../store/open-store.ts';

/** The label that a job was launched under; of one that is not known, the strictest (invariant 4). */
export async function sensitivityOf(tx: Tx, job: JobId): Promise<Sensitivity> {
  return (await launchLabelOf(tx, job)).sensitivity;
}

/** The label that a job was launched under, and when it was computed, in ms; of one that is not known, the strictest, before any data. */
export async function launchLabelOf(
  tx: Tx,
  job: JobId,
): Promise<{ readonly sensitivity: Sensitivity; readonly at: number }> {
  const row = await tx.selectFrom('job').select('label_envelope').where('job', '=', job).executeTakeFirst();
  return row === undefined ? { sensitivity: 'restricted', at: 0 } : readStatement('label', row.label_envelope).claimed;
}
