import { epochMs } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { readContract } from '@ringfence/keyring';
import { roundReport, type FederationAnswer, type RoundRow } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { keptContract } from '../contracts/contract-rows.ts';
import type { CustodianContext } from '../context.ts';
import type { FederationRoundTable } from '../store/federation-tables.ts';
import type { Tx } from '../store/open-store.ts';
import { ROUND_REPORT } from '../store/sealed-columns.ts';
import { noSuchContract } from './no-such-contract.ts';
import { pauseOf } from './pause.ts';
import { reportRow } from './report-round.ts';

/** The newest rounds that are shown. */
const SHOWN = 1_000;

/** What this custodian knows of a federation: its organisation's jobs, and the rounds that they had leave for. Throws CustodianError `not-found`. */
export async function showFederation(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  contract: Digest,
): Promise<FederationAnswer> {
  return context.store.withOrg(
    org,
    async (tx) => {
      const kept = await keptContract(context, tx, contract);
      if (kept === undefined) throw noSuchContract();
      const terms = readContract(kept.file).claimed;
      const paused = await pauseOf(tx, contract);
      const rounds = tx.selectFrom('federation_round').where('contract', '=', contract);
      const newest = await rounds.selectAll().orderBy('round', 'desc').orderBy('agent').limit(SHOWN).execute();
      const { given } = await rounds.select(({ fn }) => fn.countAll<number>().as('given')).executeTakeFirstOrThrow();
      return {
        contract,
        name: terms.name,
        paused: paused !== undefined,
        ...(paused?.device === null ? { stopped: true as const } : {}),
        jobs: await jobsOf(tx, contract, terms),
        rounds: newest.map((row) => roundRowOf(context, row)),
        given: Number(given),
      };
    },
    { readOnly: true },
  );
}

async function jobsOf(tx: Tx, contract: Digest, { clients }: Contract): Promise<FederationAnswer['jobs']> {
  const rows = await tx
    .selectFrom('federation_job')
    .innerJoin('job', 'job.job', 'federation_job.job')
    .select(['job.job', 'job.agent', 'job.at', 'job.closed', 'job.commit_record'])
    .select(['federation_job.role', 'federation_job.artifact'])
    .where('contract', '=', contract)
    .orderBy('job.at', 'desc')
    .limit(SHOWN)
    .execute();
  return rows.map(({ job, agent, at, closed, commit_record, role, artifact }) => {
    const dataset = clients.find((client) => client.dataset.artifact === artifact)?.dataset.name;
    const state = commit_record !== null ? 'committed' : closed !== null ? 'closed' : 'open';
    return { job, role, agent, at: epochMs(at), state, ...(dataset === undefined ? {} : { dataset }) };
  });
}

function roundRowOf({ columns }: CustodianContext, row: Selectable<FederationRoundTable>): RoundRow {
  const { round, job, attempt, agent, at, report_box } = row;
  const report =
    report_box === null
      ? undefined
      : roundReport.parse(JSON.parse(columns.open(ROUND_REPORT, reportRow(row), report_box)));
  return { round, job, attempt, agent, at: epochMs(at), ...(report === undefined ? {} : { report }) };
}
