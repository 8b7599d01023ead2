import type { Envelope } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import type { PolicyStatement } from '@ringfence/protocol/statements';
import type { Session } from '../session.ts';

/** The organisation’s policy as the custodian keeps it; undefined where none was ever set. */
export async function currentPolicy(
  session: Session,
): Promise<{ readonly envelope: Envelope; readonly statement: PolicyStatement } | undefined> {
  const envelope = await session.custodian.rules.policy();
  return envelope === null ? undefined : { envelope, statement: readStatement('policy', envelope).claimed };
}
