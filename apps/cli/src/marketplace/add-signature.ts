import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { StatementBody, StatementName } from '@ringfence/protocol/statements';

/**
 * What others signed, with the signature of `key` over the same words beside theirs; one by `key` itself is replaced. Undefined where the
 * envelope does not hold `claimed` in the form in which statements are signed.
 */
export function addSignature<Name extends StatementName>(
  name: Name,
  { envelope, claimed }: { readonly envelope: Envelope; readonly claimed: StatementBody<Name> },
  key: SigningKey,
): Envelope | undefined {
  const own = signStatement(name, claimed, [key]);
  if (own.payload !== envelope.payload) return undefined;
  const others = envelope.signatures.filter(({ keyid }) => own.signatures.every((mine) => mine.keyid !== keyid));
  return { ...own, signatures: [...others, ...own.signatures] };
}
