import type { DeviceId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { KeyringError, readStatement, verifyStatement, type Keyring } from '@ringfence/keyring';
import {
  HIGHEST,
  keyringRequirement,
  USUAL_LONE_OFFICER,
  type Officer,
  type ProposalContext,
  type Requirement,
} from '@ringfence/policy/assurance';
import { officerUnder } from '@ringfence/policy/locks';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { watchedDevice } from '../locks/watched-parties.ts';
import { RULES } from '../access/access-book.ts';
import { askedHere } from '../access/assert-sure.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

/** What is carried out once enough people want it. */
export type Proposable = { readonly kind: 'keyring' | 'policy' | 'privacy-budget'; readonly statement: Envelope };

/** What handing in a statement asks. Throws KeyringError for one that cannot be read. */
export function requirementOf(
  context: CustodianContext,
  { keyring }: ClaimedOrganisation,
  what: Proposable,
): Requirement {
  if (what.kind !== 'keyring') return HIGHEST;
  const { change } = readStatement('keyring', what.statement).claimed;
  return keyringRequirement(change, {
    byRecoveryKeys: change.kind === 'rotate-root' && isSignedByRecovery(keyring, what.statement),
    isOfficer: (subject) => keyring.isOfficer(subject as DeviceId),
    renewsDelegation: renews(keyring, change, context),
  });
}

/** What counts at this moment for a proposal. */
export function proposalContext(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  requirement: Requirement,
): ProposalContext {
  return {
    now: context.clock.now(),
    officers: officersOf(context, claimed),
    requirement: askedHere(context.access, requirement),
    rules: RULES,
    loneOfficer: USUAL_LONE_OFFICER,
    foundedAt: claimed.foundedAt,
    newestWordAt: claimed.headAt,
  };
}

/** The officers' devices of this moment, and whose they are. */
export function officersOf(
  context: Pick<CustodianContext, 'access' | 'clock' | 'locks'>,
  claimed: ClaimedOrganisation,
): readonly Officer[] {
  const { keyring, org } = claimed;
  const held = { locks: context.locks.of(org), now: context.clock.now() };
  return keyring
    .devices()
    .filter(({ id }) => keyring.isOfficer(id))
    .map(({ id }) => {
      const member = context.access.memberOf(id);
      return officerUnder({ ...watchedDevice(context, claimed, id), device: id, member }, held);
    });
}

function isSignedByRecovery({ recovery }: Keyring, statement: Envelope): boolean {
  try {
    verifyStatement(readStatement('keyring', statement), recovery.keys, recovery.threshold);
    return true;
  } catch (error) {
    if (error instanceof KeyringError) return false;
    throw error;
  }
}

/** A delegation of what the same key may do already gives nobody anything but time. */
function renews(keyring: Keyring, change: KeyringChange, { clock }: CustodianContext): boolean {
  if (change.kind !== 'delegate') return false;
  const { custodian, key, may } = change;
  return may.every((right) =>
    keyring.delegations(right, clock.now(), custodian).some((delegation) => delegation.key === key),
  );
}
