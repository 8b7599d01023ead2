import type { Envelope } from '@ringfence/crypto/sign';
import type { Decision } from '@ringfence/policy';
import type { Keyring } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';
import { tryRead, tryVerify } from './open.ts';

/** Why a tombstone does not count. */
export type TombstoneReason = 'malformed' | 'signature' | 'org';

/**
 * Whether `envelope` is the word of the organisation's custodian that keys are destroyed. It is read long after the delegation that it was signed
 * under has ended: that one must have held when the tombstone says that it was made.
 */
export function checkTombstone(
  envelope: Envelope,
  { keyring }: { readonly keyring: Keyring },
): Decision<TombstoneReason, { tombstone: Verified<'tombstone'> }> {
  const read = tryRead('tombstone', envelope);
  const tombstone = tryVerify(read, ({ custodian, at }) => keyring.delegatedKeys('commit', at, custodian));
  if (tombstone === undefined) return { allow: false, reasons: [read === undefined ? 'malformed' : 'signature'] };
  return tombstone.body.org === keyring.org ? { allow: true, tombstone } : { allow: false, reasons: ['org'] };
}
