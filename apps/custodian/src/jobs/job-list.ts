import { epochMs, type JobId } from '@ringfence/base';
import type { jobAnswer, JobRow } from '@ringfence/protocol/payload';
import type { Selectable } from 'kysely';
import type { z } from 'zod';
import { artifactRowOf, listVersions } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { JOB_MISSING, JOB_NAME } from '../store/sealed-columns.ts';
import type { JobTable } from '../store/tables.ts';

const COLUMNS = [
  'job',
  'name_box',
  'device',
  'at',
  'attempt',
  'agent',
  'commit_record',
  'missing_box',
  'refused_grant',
] as const;

/** The newest jobs, with their names. */
export async function listJobs(context: CustodianContext, claimed: ClaimedOrganisation): Promise<JobRow[]> {
  const rows = await context.store.withOrg(claimed.org, (tx) =>
    tx.selectFrom('job').select(COLUMNS).orderBy('at', 'desc').limit(1_000).execute(),
  );
  return rows.map((row) => rowOf(context, row));
}

/** One job with its grants, its commit record and its outputs. Throws CustodianError `not-found`. */
export async function showJob(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  job: JobId,
): Promise<z.input<typeof jobAnswer>> {
  return context.store.withOrg(claimed.org, async (tx) => {
    const row = await tx.selectFrom('job').select(COLUMNS).where('job', '=', job).executeTakeFirst();
    if (row === undefined)
      throw new CustodianError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
    const grants = await tx
      .selectFrom('attempt')
      .select('grant_envelope')
      .where('job', '=', job)
      .orderBy('attempt')
      .execute();
    const outputs = await listVersions(context, tx, claimed, job);
    return {
      row: rowOf(context, row),
      commit: row.commit_record,
      grants: grants.map(({ grant_envelope }) => grant_envelope),
      outputs: outputs.map(artifactRowOf),
      ...(row.refused_grant === null ? {} : { refusedGrant: row.refused_grant }),
      ...(row.missing_box === null ? {} : { missingSecrets: context.columns.open(JOB_MISSING, job, row.missing_box) }),
    };
  });
}

function rowOf(context: CustodianContext, row: Pick<Selectable<JobTable>, (typeof COLUMNS)[number]>): JobRow {
  return {
    job: row.job,
    name: context.columns.open(JOB_NAME, row.job, row.name_box),
    device: row.device,
    at: epochMs(row.at),
    attempt: row.attempt === 0 ? null : row.attempt,
    agent: row.agent,
    committed: row.commit_record !== null,
  };
}
