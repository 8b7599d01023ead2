import { isId, type EpochMs, type ProviderId, type SiteId } from '@ringfence/base';
import { parseSigningPublicKey } from '@ringfence/crypto/sign';
import type { KeyringChange, KeyringStatement } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import type { RecoveryRule } from './entries.ts';
import { checkSite, inspectAdmission, inspectRenewal } from './admitted.ts';
import { partyOf } from './effect.ts';
import type { KeyringState, ProviderAuthority } from './state.ts';

/** Roles that let a device hand in changes of the keyring: without one of them bound nobody could bind any again. */
const APPENDING_ROLES: ReadonlySet<string> = new Set(['owner', 'officer']);

/** What a change names for the first time: an id, and keys that nobody else may hold. */
export interface Introduction {
  readonly id?: string;
  /** A provider's authority, which speaks for it alone from now on. */
  readonly authority?: ProviderAuthority | undefined;
  /** Where a machine stands, and whose site that is from now on; no provider's at home. */
  readonly site?: { readonly id: SiteId; readonly provider: ProviderId | undefined } | undefined;
  /** `spare`: the key may already be this owner's in the same role. */
  readonly keys: readonly { readonly key: string; readonly spare: boolean }[];
}

/**
 * Checks a statement against the keyring that it would follow, apart from its signature: fresh ids and keys, known subjects,
 * workable recovery. Throws KeyringError. Returns what it introduces, to be burnt once the statement is taken.
 */
export function inspectStatement(state: KeyringState, { change, at, seq }: KeyringStatement): Introduction {
  const introduced = introductionOf(state, change);
  if (introduced.id !== undefined) checkFreshId(state, introduced.id);
  const keys = new Set<string>();
  for (const { key, spare } of introduced.keys) {
    checkKey(key);
    if (keys.has(key) || (!spare && state.burntKeys.has(key))) throw keyInUse(state, key);
    keys.add(key);
  }
  checkSubject(state, change);
  const authority = authorityOf(state, change, at);
  const site = change.kind === 'add-agent' ? { id: change.site, provider: authority?.provider } : undefined;
  if (site !== undefined) checkSite(state, site.id, site.provider);
  if (authority !== undefined) {
    checkKey(authority.key);
    if (keys.has(authority.key)) throw keyInUse(state, authority.key);
  }
  if (change.kind === 'rotate-root' || change.kind === 'genesis') checkRecovery(change.recovery);
  if (change.kind === 'rotate-root' && (change.keep ?? 0) >= seq) {
    throw new KeyringError('malformed', 'a rotation keeps only statements that came before it');
  }
  if (change.kind === 'delegate' && change.notAfter <= at) {
    throw new KeyringError('expired-delegation', 'a delegation ends before it begins');
  }
  return { ...introduced, authority, site };
}

/** The authority that vouches for a machine away from home that comes or stays longer. */
function authorityOf(state: KeyringState, change: KeyringChange, at: EpochMs): ProviderAuthority | undefined {
  if (change.kind === 'add-agent') return inspectAdmission(state, change, at);
  return change.kind === 'renew-admission' ? inspectRenewal(state, change, at) : undefined;
}

/** Records that the ids and keys of a statement are taken for ever. */
export function burn(state: KeyringState, introduced: Introduction, by: string): void {
  if (introduced.id !== undefined) state.burntIds.add(introduced.id);
  for (const { key } of introduced.keys) state.burntKeys.set(key, introduced.id ?? by);
  const { authority, site } = introduced;
  if (site !== undefined) state.sites.set(site.id, site.provider);
  if (authority === undefined) return;
  state.authorities.set(authority.key, authority);
  state.burntKeys.set(authority.key, authority.provider);
}

function introductionOf(state: KeyringState, change: KeyringChange): Introduction {
  const fresh = (...keys: readonly string[]): Introduction['keys'] => keys.map((key) => ({ key, spare: false }));
  switch (change.kind) {
    case 'genesis':
      return { keys: fresh(change.root, ...change.recovery.keys) };
    case 'rotate-root':
      return { keys: [...fresh(change.root), ...recoveryKeys(state, change.recovery)] };
    case 'add-device':
      return { id: change.device, keys: fresh(change.sign, change.tls) };
    case 'add-custodian':
      return { id: change.custodian, keys: fresh(change.sign, change.tls, change.seal) };
    case 'add-agent':
      return { id: change.agent, keys: fresh(change.sign, change.tls, change.seal) };
    case 'delegate':
      return { keys: [{ key: change.key, spare: wasDelegatedTo(state, change) }] };
    case 'add-peer':
      return { id: change.org, keys: fresh(change.root) };
    case 'add-admitter':
    case 'add-evidence-issuer':
      return { keys: fresh(change.key) };
    case 'add-officer':
    case 'bind-role':
    case 'unbind-role':
    case 'renew-admission':
    case 'remove-admitter':
    case 'remove-evidence-issuer':
    case 'remove':
      return { keys: [] };
  }
}

function recoveryKeys(state: KeyringState, { keys }: RecoveryRule): Introduction['keys'] {
  const now = new Set(state.membership.recovery.keys);
  return keys.map((key) => ({ key, spare: now.has(key) }));
}

function wasDelegatedTo(
  state: KeyringState,
  { custodian, key }: Extract<KeyringChange, { kind: 'delegate' }>,
): boolean {
  return state.membership.delegations.some((given) => given.custodian === custodian && given.key === key);
}

/** A seal key's form is its schema's matter; the others are points of large order, spelt in one way. */
function checkKey(key: string): void {
  if (key.length === 43 && parseSigningPublicKey(key) === undefined) {
    throw new KeyringError('bad-key', 'a statement names something that is no usable key');
  }
}

function keyInUse(state: KeyringState, key: string): KeyringError {
  const owner = state.burntKeys.get(key);
  const gone = owner !== undefined && wasRemoved(state, owner);
  return new KeyringError(gone ? 'removed' : 'duplicate', 'a statement gives somebody a key that is not fresh', {
    next: 'make a new key; a key belongs to one subject for ever',
  });
}

function checkFreshId(state: KeyringState, id: string): void {
  if (!state.burntIds.has(id) && id !== state.org) return;
  const gone = wasRemoved(state, id);
  throw new KeyringError(gone ? 'removed' : 'duplicate', 'a statement introduces an id that is not fresh', {
    next: 'make a new id; one that was removed never comes back',
  });
}

function checkSubject(state: KeyringState, change: KeyringChange): void {
  const { membership } = state;
  if (change.kind === 'add-officer' || change.kind === 'bind-role') {
    const device = membership.devices.get(change.device);
    demand(state, change.device, device !== undefined);
    const said =
      change.kind === 'add-officer'
        ? device?.officer
        : device?.roles.some(({ role, project }) => role === change.role && project === change.project);
    if (said === true) throw new KeyringError('duplicate', 'a statement says what is already so');
  }
  if (change.kind === 'unbind-role') checkUnbinding(state, change);
  if (change.kind === 'delegate') demand(state, change.custodian, membership.custodians.has(change.custodian));
  if (change.kind === 'renew-admission') demand(state, change.agent, membership.agents.has(change.agent));
  if (change.kind === 'remove-admitter') demand(state, change.key, membership.admitters.has(change.key));
  if (change.kind === 'remove-evidence-issuer') demand(state, change.key, membership.evidenceIssuers.has(change.key));
  if (change.kind === 'remove') {
    const peer = isId('org', change.subject) && membership.peers.has(change.subject);
    demand(state, change.subject, peer || partyOf(membership, change.subject) !== undefined);
  }
}

function checkUnbinding(state: KeyringState, change: Extract<KeyringChange, { kind: 'unbind-role' }>): void {
  const { devices } = state.membership;
  const device = devices.get(change.device);
  demand(state, change.device, device !== undefined);
  const others = device?.roles.filter(({ role, project }) => role !== change.role || project !== change.project);
  if (others === undefined || others.length === device?.roles.length)
    throw new KeyringError('duplicate', 'a statement takes back a role that is not bound', {
      next: 'see `ringfence device ls`',
    });
  if (change.project !== undefined || !APPENDING_ROLES.has(change.role)) return;
  const left = [others, ...[...devices.values()].flatMap(({ id, roles }) => (id === change.device ? [] : [roles]))];
  if (!left.some((roles) => roles.some(({ role, project }) => project === undefined && APPENDING_ROLES.has(role))))
    throw new KeyringError('last-owner', 'nobody would be left who may change the keyring', {
      next: 'bind `owner` or `officer` to another device first',
    });
}

function demand(state: KeyringState, subject: string, known: boolean): void {
  if (known) return;
  const gone = wasRemoved(state, subject);
  throw new KeyringError(gone ? 'removed' : 'unknown-subject', 'a statement is about somebody who is not a member');
}

function wasRemoved(state: KeyringState, id: string): boolean {
  return (state.membership.removed as ReadonlyMap<string, unknown>).has(id);
}

/** That the keys differ from each other is part of their being fresh. */
function checkRecovery({ threshold, keys }: RecoveryRule): void {
  if (threshold > keys.length) throw new KeyringError('bad-recovery', 'recovery needs as many keys as its threshold');
}
