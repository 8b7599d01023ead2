import { isId } from '@ringfence/base';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { DAILY, GRAVE, HIGHEST, type Requirement } from './requirement.ts';

/** What is known of a statement beside its change. */
export interface KeyringContext {
  /** Signed by as many recovery keys as outrank the root: they are the quorum, and whoever uses them may have lost everything else. */
  readonly byRecoveryKeys: boolean;
  /** Whether a device is an officer's. */
  readonly isOfficer: (subject: string) => boolean;
  /** A delegation to a key that may do all of it already: it gives time, and no right. */
  readonly renewsDelegation?: boolean;
}

/** What handing in a keyring statement asks, beside the signatures that it needs (docs/protocol/keyring.md). */
export function keyringRequirement(
  change: KeyringChange,
  { byRecoveryKeys, isOfficer, renewsDelegation = false }: KeyringContext,
): Requirement {
  if (byRecoveryKeys) return DAILY;
  switch (change.kind) {
    case 'bind-role':
    case 'unbind-role':
      return change.role === 'owner' || change.role === 'officer' ? HIGHEST : GRAVE;
    case 'remove':
      return isOfficer(change.subject) || isId('custodian', change.subject) ? HIGHEST : GRAVE;
    case 'delegate':
      return renewsDelegation ? GRAVE : HIGHEST;
    case 'add-device':
    case 'add-agent':
    case 'renew-admission':
    case 'remove-admitter':
    case 'remove-evidence-issuer':
      return GRAVE;
    case 'genesis':
    case 'add-officer':
    case 'add-admitter':
    case 'add-evidence-issuer':
    case 'add-custodian':
    case 'add-peer':
    case 'rotate-root':
      return HIGHEST;
  }
}
