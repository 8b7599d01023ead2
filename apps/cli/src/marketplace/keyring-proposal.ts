import { canonicalJson, type EpochMs } from '@ringfence/base';
import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import {
  extendKeyring,
  KeyringError,
  nextStatement,
  readStatement,
  signStatement,
  type Keyring,
} from '@ringfence/keyring';
import type { KeyringChange, KeyringStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { addSignature } from './add-signature.ts';

/** The statement that would make `change` the next one of `keyring`, signed by one key. Throws CliError `usage`. */
export function propose(keyring: Keyring, change: KeyringChange, key: SigningKey, now: EpochMs): Envelope {
  return sign(nextStatement(keyring, change, now), key);
}

/** The same statement with one signature more. Throws CliError `usage` for one that is no next statement of `keyring`, or that this key signed. */
export function cosign(keyring: Keyring, proposal: Envelope, key: SigningKey): Envelope {
  const statement = claimedBy(proposal);
  const { seq, digest } = keyring.head;
  if (statement.org !== keyring.org) throw new CliError('usage', 'the proposal is another organisation’s');
  if (statement.seq !== seq + 1 || statement.prev !== digest)
    throw new CliError('usage', 'the keyring has changed since this was proposed', {
      next: 'propose the change again',
    });
  const signed = addSignature('keyring', { envelope: proposal, claimed: statement }, key);
  if (signed === undefined) throw new CliError('usage', 'the proposal is not of the declared form');
  if (signed.signatures.length === proposal.signatures.length)
    throw new CliError('usage', 'this key has signed it already', { next: 'another officer signs it' });
  return signed;
}

/** What a proposal would change, as whoever signs it should read it. */
export function changeText(proposal: Envelope): string {
  return canonicalJson(claimedBy(proposal).change);
}

/**
 * Whether the signatures are enough, by the fold that every reader judges the statement with. Throws CliError `usage` for a statement that no
 * further signature would make good.
 */
export function isEnough(keyring: Keyring, proposal: Envelope, now: EpochMs): boolean {
  try {
    extendKeyring(keyring, proposal, now);
    return true;
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    if (cause.code === 'not-authorised') return false;
    // Its own next step, and its code for whoever reads by it.
    const { code, message, next } = cause;
    const then = next === undefined ? {} : { next };
    throw new CliError('usage', `the keyring would not take this change: ${message} (${code})`, { cause, ...then });
  }
}

function claimedBy(proposal: Envelope): KeyringStatement {
  return readStatement('keyring', proposal).claimed;
}

function sign(statement: KeyringStatement, key: SigningKey): Envelope {
  try {
    return signStatement('keyring', statement, [key]);
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CliError('usage', 'the change is not of the declared form', { cause });
  }
}
