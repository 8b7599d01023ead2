import type { AgentId, JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { encodingOfContract } from '@ringfence/fl/contract-encoding';
import { FlError } from '@ringfence/fl/error';
import type { JobType } from '@ringfence/protocol';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { Workload } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import type { FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { heldContract } from '../contracts/held-contract.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { federationFaults } from './federation-faults.ts';
import { CLIENTS_OVERLAP, overlapsAnotherClient } from './overlapping-clients.ts';

/** A job that may take part in a federation, or one that has nothing to do with any. */
export interface JudgedJob {
  readonly type: JobType;
  readonly workload: Workload;
  readonly data: readonly FoundVersion[];
}

/** Whether a job is what its contract says; `contract` is undefined for a job of another type. */
export type FederationDecision =
  | { readonly allow: true; readonly contract: ContractFile | undefined }
  | { readonly allow: false; readonly reasons: readonly string[] };

/** Whether a job of a federation may be deposited: the contract holds now, and the job is what it says. `code` is the digest of what it brings. */
export function judgeDeposit(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { code, ...judged }: JudgedJob & { readonly code: Digest | undefined },
): Promise<FederationDecision> {
  return judge(context, tx, claimed, { ...judged, code, agent: undefined });
}

/** Whether an attempt of a job may start at `agent`: as when it was deposited, by the contract, the keyrings and the data as they are now. */
export async function judgeFederation(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, ...judged }: JudgedJob & { readonly job: JobId; readonly agent: AgentId },
): Promise<FederationDecision> {
  const row = await tx.selectFrom('federation_job').select('code').where('job', '=', job).executeTakeFirst();
  return judge(context, tx, claimed, { ...judged, code: row?.code ?? undefined });
}

async function judge(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { type, workload, data, code, agent }: JudgedJob & { code: Digest | undefined; agent: AgentId | undefined },
): Promise<FederationDecision> {
  const { federation } = workload;
  if ((type === 'federate') !== (federation !== undefined)) return { allow: false, reasons: ['type'] };
  if (federation === undefined) return { allow: true, contract: undefined };
  const held = await heldContract(context, tx, claimed, federation.contract);
  if (!held.allow) return { allow: false, reasons: [...new Set(held.reasons.map((reason) => reason.code))] };
  const terms = held.contract.body;
  if (!isEncodable(terms)) return { allow: false, reasons: ['encoding'] };
  const { org } = claimed;
  const { role } = federation;
  const mounted = data.map(({ artifact, version, pack, place }) => ({
    artifact,
    version,
    manifest: (pack ?? place).manifest,
  }));
  const reasons: string[] = federationFaults(terms, { org, role, workload, code, data: mounted, agent });
  for (const { artifact } of mounted)
    if (await overlapsAnotherClient(tx, claimed, terms, artifact)) reasons.push(CLIENTS_OVERLAP);
  return reasons.length === 0 ? { allow: true, contract: held.kept.file } : { allow: false, reasons };
}

/** Whether a ring holds the sums that the contract's numbers make; of others no agent encodes an update, and no round has a price. */
function isEncodable(terms: Contract): boolean {
  try {
    encodingOfContract(terms);
    return true;
  } catch (error) {
    if (error instanceof FlError) return false;
    throw error;
  }
}
