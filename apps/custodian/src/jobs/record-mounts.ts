import type { AgentId, JobId } from '@ringfence/base';
import { checkMount } from '@ringfence/policy';
import { purposeWord } from '@ringfence/protocol/statements';
import type { FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';

/** What a start mounts, and what for. */
export interface WantedData {
  readonly data: readonly FoundVersion[];
  readonly purpose: string | undefined;
}

/** A start that was decided. */
export interface DecidedStart extends WantedData {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
}

/**
 * Writes down for each mount of a start which version it is, for what purpose it was asked, and whether purpose and place are those that its
 * owner allows: of a granted start each is, of a refused one those that are not say why.
 */
export async function recordMounts(
  { record }: CustodianContext,
  tx: Tx,
  { org, keyring }: ClaimedOrganisation,
  { job, attempt, agent, data, purpose }: DecidedStart,
): Promise<void> {
  const entry = keyring.agent(agent);
  // What people write freely is none of the owners' words, and no word for the ledger.
  const word = purposeWord.safeParse(purpose).data ?? null;
  for (const found of data) {
    const { artifact, version, place } = found;
    const atItsSite = place === undefined || place.site === entry?.site;
    const decision = checkMount(found, { purpose, jurisdictions: entry?.jurisdictions ?? [], atItsSite });
    await record(tx, org, {
      type: 'mount-decided',
      job,
      attempt,
      agent,
      artifact,
      version,
      purpose: word,
      decision: decision.allow ? 'allowed' : 'refused',
      reasons: decision.allow ? [] : [...decision.reasons],
    });
  }
}
