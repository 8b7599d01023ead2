import type { DeviceId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { foldKeyring, KeyringError, type Keyring } from '@ringfence/keyring';
import { DELEGATIONS } from '@ringfence/protocol/statements';
import type { EpochMs } from '@ringfence/base';
import { CustodianError } from '../custodian-error.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';

/**
 * The keyring of a claim: it folds, names this custodian with exactly its own keys, delegates everything to its enrolment key, and has an
 * owner. Throws CustodianError `bad-statement`.
 */
export function checkClaimedKeyring(
  statements: readonly Envelope[],
  keys: CustodianKeys,
  now: EpochMs,
): { keyring: Keyring; owners: readonly DeviceId[] } {
  const keyring = fold(statements);
  const entry = keyring.custodianOf(keys.id);
  const mine =
    entry !== undefined &&
    entry.sign === keys.sign.publicKey &&
    entry.tls === keys.tls.publicKey &&
    entry.seal === keys.seal.publicKey;
  if (!mine) throw bad('the keyring names another custodian, or other keys than this one has');
  const delegated = DELEGATIONS.every((right) =>
    keyring.delegatedKeys(right, now, keys.id).includes(keys.enrolment.publicKey),
  );
  if (!delegated) throw bad('the keyring does not delegate every right to the enrolment key');
  const owners = keyring.devices().filter(({ roles }) => roles.some(({ role }) => role === 'owner'));
  if (owners.length === 0) throw bad('the keyring has no owner');
  return { keyring, owners: owners.map(({ id }) => id) };
}

function fold(statements: readonly Envelope[]): Keyring {
  try {
    return foldKeyring(statements);
  } catch (cause) {
    if (cause instanceof KeyringError) throw bad(cause.message, cause);
    throw cause;
  }
}

function bad(message: string, cause?: unknown): CustodianError {
  return new CustodianError('bad-statement', message, { cause, next: 'run `ringfence org init` again' });
}
