import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { PolicyStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';

/** A policy as it will be handed in. */
export interface SignedPolicy {
  readonly statement: PolicyStatement;
  readonly envelope: Envelope;
}

/** What another officer signed into the file at `path`, the same words under `key` too. Throws CliError `bad-file`. */
export function alsoSigned(key: SigningKey, path: string): SignedPolicy {
  const { envelope, claimed: statement } = readStatementFile('policy', path);
  const own = signStatement('policy', statement, [key]);
  if (own.payload !== envelope.payload)
    throw new CliError('bad-file', `${path} is not as its officer’s command wrote it`, { next: 'take that file' });
  const others = envelope.signatures.filter(({ keyid }) => own.signatures.every((mine) => mine.keyid !== keyid));
  return { statement, envelope: { ...own, signatures: [...others, ...own.signatures] } };
}
