import { newId, type AgentId, type ProviderId, type SiteId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import type { Tier } from '@ringfence/protocol';
import { MOST_OFFERS } from '@ringfence/protocol/messages';
import type { joinRequest } from '@ringfence/protocol/payload';
import type { KeyringChange } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { OpenJoinCode } from './join-codes.ts';

/** A code that can be spent, and for machines of which tier. */
export type FoundCode = OpenJoinCode & { readonly tier: Tier };

/** Who a machine becomes when it joins. */
export interface JoiningMachine {
  readonly agent: AgentId;
  /** The provider's own name for its site; at home the organisation makes one. */
  readonly site: SiteId | undefined;
  /** Whose machine it is away from home. */
  readonly provider: ProviderId | undefined;
  /** What `add-agent` says besides ids and keys. */
  readonly said: Pick<Extract<KeyringChange, { kind: 'add-agent' }>, 'tier' | 'jurisdictions' | 'admitted'>;
}

/**
 * Who the machine of a join becomes: at home what its code says; away from home what its papers say, which the keyring verifies when the statement
 * is added. Throws CustodianError `bad-statement`, KeyringError.
 */
export function machineOf(
  { rng }: CustodianContext,
  { admitted }: Pick<z.output<typeof joinRequest>, 'admitted'>,
  { tier, jurisdictions }: FoundCode,
): JoiningMachine {
  if (tier === 'private' && admitted === undefined) {
    const places = jurisdictions === undefined ? {} : { jurisdictions: [...jurisdictions] };
    return { agent: newId('agent', rng), site: undefined, provider: undefined, said: { tier, ...places } };
  }
  if (tier === 'private' || admitted === undefined)
    throw new CustodianError('bad-statement', 'the tier of the code and the papers of the machine do not go together', {
      next: 'a code with --tier secure-cloud or community-cloud is joined with --admission and --machine, any other without',
    });
  const admission = readStatement('admission', admitted.admission).claimed;
  const machine = readStatement('machine', admitted.machine).claimed;
  const places = [...new Set([...admission.jurisdictions, ...machine.jurisdictions])].toSorted();
  return {
    agent: machine.agent,
    site: machine.site,
    provider: admission.provider,
    said: { tier, jurisdictions: places, admitted },
  };
}

/** Refuses a machine beyond those that an organisation can offer: `agents` are members now. Throws CustodianError `too-much`. */
export function checkRoom(agents: number): void {
  if (agents < MOST_OFFERS) return;
  throw new CustodianError('too-much', `an organisation has at most ${MOST_OFFERS} servers`, {
    next: 'remove one that is gone: `ringfence agent remove`',
  });
}

/** A machine statement names its agent, who comes once. Throws CustodianError `conflict`. */
export function checkNewcomer({ keyring }: ClaimedOrganisation, agent: AgentId): void {
  if (keyring.agent(agent) === undefined && !keyring.isRemoved(agent)) return;
  throw new CustodianError('conflict', 'the machine of this statement is or was a member already', {
    next: 'ask the provider for a machine statement about new keys',
  });
}
