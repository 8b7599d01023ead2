import type { Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import type { StatementBody, StatementName } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { readStatement, verifyStatement, type Unverified, type Verified } from '../statement.ts';

/** The statement, or undefined when it is malformed. */
export function tryRead<Name extends StatementName>(name: Name, envelope: Envelope): Unverified<Name> | undefined {
  return orUndefined(() => readStatement(name, envelope));
}

/** The verified statement, or undefined when fewer than `threshold` of `keys` signed it. */
export function tryVerify<Name extends StatementName>(
  statement: Unverified<Name> | undefined,
  keys: (claimed: StatementBody<Name>) => readonly SigningPublicKey[],
  threshold = 1,
): Verified<Name> | undefined {
  if (statement === undefined) return undefined;
  return orUndefined(() => verifyStatement(statement, keys(statement.claimed), threshold));
}

function orUndefined<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof KeyringError) return undefined;
    throw error;
  }
}
