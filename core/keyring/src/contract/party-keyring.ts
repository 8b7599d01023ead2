import type { Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { ContractParty } from '@ringfence/protocol/statements';
import { foldKeyring } from '../chain/fold.ts';
import type { Keyring } from '../chain/keyring.ts';
import { KeyringError } from '../keyring-error.ts';
import { readStatement } from '../statement.ts';
import type { ContractFaultCode } from './contract-fault.ts';
import { statementsOf } from './contract-file.ts';

/** A party's keyring as `own` may trust it, or why it may not. */
export type PartyKeyring = { readonly keyring: Keyring } | { readonly fault: ContractFaultCode };

/**
 * The keyring by which a party's signatures and agents are checked: for the reader's own organisation its own; for another one the chain in the file, which must have
 * had both the root that was compared out of band when it became a peer and the root that the contract names, and be at least as long as when the contract was drafted.
 */
export function partyKeyring(party: ContractParty, file: ContractFile, own: Keyring): PartyKeyring {
  if (party.org === own.org) return own.hadRoot(party.root) ? { keyring: own } : { fault: 'root-differs' };
  const pin = own.peerRoot(party.org);
  if (pin === undefined) return { fault: 'not-a-peer' };
  const statements = statementsOf(file, party.org);
  if (statements.length === 0) return { fault: 'keyring-missing' };
  const folded = fold(statements, pin);
  if ('fault' in folded) return folded;
  if (folded.keyring.org !== party.org) return { fault: 'keyring-broken' };
  if (!folded.keyring.hadRoot(party.root)) return { fault: 'root-differs' };
  return isAsLong(statements, party) ? folded : { fault: 'keyring-short' };
}

function fold(statements: readonly Envelope[], pin: SigningPublicKey): PartyKeyring {
  try {
    return { keyring: foldKeyring(statements, pin) };
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
    return { fault: error.code === 'wrong-root' ? 'root-differs' : 'keyring-broken' };
  }
}

function isAsLong(statements: readonly Envelope[], { keyring: { seq, digest } }: ContractParty): boolean {
  const at = statements[seq];
  return at !== undefined && readStatement('keyring', at).digest === digest;
}
