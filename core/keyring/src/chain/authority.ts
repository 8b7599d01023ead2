import { isId, type EpochMs } from '@ringfence/base';
import { keyIdOf, type SigningPublicKey } from '@ringfence/crypto/sign';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { verifyStatement, type Unverified, type Verified } from '../statement.ts';
import type { DelegatedRight, RecoveryRule } from './entries.ts';
import type { KeyringState, Membership } from './state.ts';

/** Keys of which `threshold` together may make a change; with a new root, that root signs too and so shows that it exists. */
interface Authority {
  readonly keys: readonly SigningPublicKey[];
  readonly threshold: number;
  readonly newRoot?: SigningPublicKey;
}

/** Roles that lead to more rights than one officer has: a quorum hands them out and takes them back. */
const HIGH_ROLES: ReadonlySet<string> = new Set(['owner', 'officer']);

/**
 * The statement, once those who may make its change have signed it; throws KeyringError `not-authorised`,
 * `expired-delegation`, `removed` or `bad-signature`. The rules are the table in docs/protocol/keyring.md.
 */
export function verifyAuthority(state: KeyringState, statement: Unverified<'keyring'>): Verified<'keyring'> {
  const { change, at } = statement.claimed;
  for (const { keys, threshold, newRoot } of authoritiesFor(state.membership, change, at)) {
    const signed = signedBy(statement, hintedBy(statement, keys), threshold);
    if (signed === undefined) continue;
    return newRoot === undefined ? signed : verifyStatement(statement, [newRoot]);
  }
  throw whyNot(state, statement);
}

function authoritiesFor(membership: Membership, change: KeyringChange, at: EpochMs): Authority[] {
  const root: Authority = { keys: [membership.root], threshold: 1 };
  switch (change.kind) {
    case 'genesis':
      return [{ keys: [change.root], threshold: 1 }];
    case 'rotate-root':
      return rotationAuthorities(membership, change);
    case 'add-device':
      return [root, officers(membership, 1)];
    case 'add-officer':
      return [root, officers(membership, 2)];
    case 'bind-role':
    case 'unbind-role':
      return [root, officers(membership, HIGH_ROLES.has(change.role) ? 2 : 1)];
    case 'add-agent':
    case 'renew-admission':
      return [enrolment(membership, 'add-agent', at), root];
    case 'remove':
      return removalAuthorities(membership, change, at);
    case 'add-admitter':
    case 'add-evidence-issuer':
      return [root, officers(membership, 2)];
    case 'remove-admitter':
    case 'remove-evidence-issuer':
      return [root, officers(membership, 1)];
    case 'add-custodian':
    case 'delegate':
    case 'add-peer':
      return [root];
  }
}

/** The root may name its successor but not touch what outranks it, nor undo anything. */
function rotationAuthorities(
  { root, recovery }: Membership,
  change: Extract<KeyringChange, { kind: 'rotate-root' }>,
): Authority[] {
  const outranking: Authority = { keys: recovery.keys, threshold: recovery.threshold, newRoot: change.root };
  const plain = change.keep === undefined && sameRule(change.recovery, recovery);
  return plain ? [{ keys: [root], threshold: 1, newRoot: change.root }, outranking] : [outranking];
}

function removalAuthorities(
  membership: Membership,
  { subject }: Extract<KeyringChange, { kind: 'remove' }>,
  at: EpochMs,
): Authority[] {
  const root: Authority = { keys: [membership.root], threshold: 1 };
  if (isId('agent', subject)) return [enrolment(membership, 'remove', at), root];
  if (!isId('device', subject)) return [root];
  return [root, officers(membership, membership.officers.has(subject) ? 2 : 1)];
}

/** min(people, officers) of the officers; nobody where there are none. */
function officers({ officers: ids, devices }: Membership, people: number): Authority {
  const keys = [...ids].flatMap((id) => devices.get(id)?.sign ?? []);
  return { keys, threshold: Math.max(1, Math.min(people, keys.length)) };
}

/** No delegation is younger than the statement that it is used for: the chain's times only rise. */
function enrolment({ delegations }: Membership, right: DelegatedRight, at: EpochMs): Authority {
  const given = delegations.filter(({ may, until }) => may.includes(right) && at < until);
  return { keys: given.map(({ key }) => key), threshold: 1 };
}

function sameRule(a: RecoveryRule, b: RecoveryRule): boolean {
  return a.threshold === b.threshold && a.keys.length === b.keys.length && a.keys.every((key) => b.keys.includes(key));
}

/** Key ids only say which keys to try; a wrong one makes a signature unseen, never good. */
function hintedBy(statement: Unverified<'keyring'>, keys: readonly SigningPublicKey[]): SigningPublicKey[] {
  const hints = new Set(statement.envelope.signatures.map(({ keyid }) => keyid));
  return keys.filter((key) => hints.has(keyIdOf(key)));
}

function signedBy(
  statement: Unverified<'keyring'>,
  keys: readonly SigningPublicKey[],
  threshold: number,
): Verified<'keyring'> | undefined {
  if (keys.length < threshold) return undefined;
  try {
    return verifyStatement(statement, keys, threshold);
  } catch (error) {
    if (error instanceof KeyringError && error.code === 'bad-signature') return undefined;
    throw error;
  }
}

/** Tells a member who may not say this from a stranger; runs only once a statement is refused. */
function whyNot(state: KeyringState, statement: Unverified<'keyring'>): KeyringError {
  const known = [...state.burntKeys.keys()].filter((key) => key.length === 43) as SigningPublicKey[];
  const signer = hintedBy(statement, known).find((key) => signedBy(statement, [key], 1) !== undefined);
  if (signer === undefined) return new KeyringError('bad-signature', 'a keyring statement is signed by no member');
  if ((state.membership.removed as ReadonlyMap<string, unknown>).has(state.burntKeys.get(signer) ?? '')) {
    return new KeyringError('removed', 'a keyring statement is signed by somebody who was removed');
  }
  const given = state.membership.delegations.filter(({ key }) => key === signer);
  const lapsed = given.length > 0 && given.every(({ until }) => until <= statement.claimed.at);
  return lapsed
    ? new KeyringError('expired-delegation', 'a keyring statement is signed under a delegation that has ended', {
        next: 'renew the delegation with the organisation root',
      })
    : new KeyringError('not-authorised', 'a keyring statement is signed by a member who may not make this change');
}
