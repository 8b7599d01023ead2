import { epochMs, type EpochMs, type OrgId } from '@ringfence/base';
import { parseDigest, type Digest, type Envelope, type SigningPublicKey } from '@ringfence/crypto/sign';
import type { KeyringChange, KeyringStatement } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { readStatement } from '../statement.ts';
import { verifyAuthority } from './authority.ts';
import { applyStatement } from './effect.ts';
import { burn, inspectStatement } from './inspect.ts';
import { CLOCK_SKEW_MS, Keyring, stateOf } from './keyring.ts';
import { copyState, emptyMembership, type KeyringState } from './state.ts';

const NOTHING = parseDigest('0'.repeat(64)) as Digest;

/**
 * The keyring that `statements` add up to, the oldest first. With `expectedRoot` the chain must have had that root at some
 * point, so that a pin survives rotations. Throws KeyringError at the first statement that does not belong.
 */
export function foldKeyring(statements: readonly Envelope[], expectedRoot?: SigningPublicKey): Keyring {
  const [first, ...others] = statements;
  if (first === undefined) throw new KeyringError('after-genesis', 'a keyring begins with its genesis');
  const state = begin(first);
  for (const envelope of [first, ...others]) take(state, envelope);
  if (expectedRoot !== undefined && !state.membership.roots.includes(expectedRoot)) {
    throw new KeyringError('wrong-root', 'the keyring never had the root that was pinned', {
      next: 'compare the organisation root fingerprint with its owner before trying again',
    });
  }
  return new Keyring(state);
}

/**
 * `keyring` with one more statement; throws KeyringError and leaves `keyring` as it was. Whoever accepts a statement first
 * passes `now`, so that nobody can date it ahead and lock out all that would come before.
 */
export function extendKeyring(keyring: Keyring, envelope: Envelope, now?: EpochMs): Keyring {
  if (now !== undefined && readStatement('keyring', envelope).claimed.at > now + CLOCK_SKEW_MS) {
    throw new KeyringError('post-dated', 'a statement is dated ahead of the clock', {
      next: 'set the clock of the machine that signed it',
    });
  }
  const state = copyState(stateOf(keyring));
  take(state, envelope);
  return new Keyring(state);
}

/** The body of the first statement of an organisation's keyring, to be signed by its root. */
export function genesisStatement(
  org: OrgId,
  change: Extract<KeyringChange, { kind: 'genesis' }>,
  at: EpochMs,
): KeyringStatement {
  return { v: 1, org, seq: 0, prev: NOTHING, at, change };
}

/** The body of the statement that would follow `keyring`, dated `at` or, if a signer's clock ran ahead, as late as the last one. */
export function nextStatement(keyring: Keyring, change: KeyringChange, at: EpochMs): KeyringStatement {
  const { seq, digest, at: last } = keyring.head;
  return { v: 1, org: keyring.org, seq: seq + 1, prev: digest, at: epochMs(Math.max(at, last)), change };
}

function begin(envelope: Envelope): KeyringState {
  const { org, change } = readStatement('keyring', envelope).claimed;
  if (change.kind !== 'genesis') throw new KeyringError('after-genesis', 'a keyring begins with its genesis');
  return {
    org,
    head: { seq: -1, digest: NOTHING, at: epochMs(0) },
    membership: emptyMembership(change.root, change.recovery),
    burntIds: new Set(),
    burntKeys: new Map(),
    authorities: new Map(),
    sites: new Map(),
    history: [],
  };
}

function take(state: KeyringState, envelope: Envelope): void {
  const statement = readStatement('keyring', envelope);
  checkPlace(state, statement.claimed);
  const { body, digest } = verifyAuthority(state, statement);
  const introduced = inspectStatement(state, body);
  burn(state, introduced, body.change.kind === 'delegate' ? body.change.custodian : 'root');
  applyStatement(state, body);
  state.head = { seq: body.seq, digest, at: body.at };
}

function checkPlace(state: KeyringState, { org, seq, prev, at, change }: KeyringStatement): void {
  if (org !== state.org) throw new KeyringError('wrong-org', 'a statement belongs to another organisation');
  if (seq !== state.head.seq + 1 || prev !== state.head.digest) {
    throw new KeyringError('broken-chain', 'a statement does not follow the one before it', {
      next: 'fetch the keyring again from the custodian',
    });
  }
  if (change.kind === 'genesis' && seq !== 0) throw new KeyringError('after-genesis', 'a second genesis');
  if (at < state.head.at) throw new KeyringError('back-dated', 'a statement is older than the one before it');
}
