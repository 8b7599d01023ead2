import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import type { PolicyStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { addSignature } from '../marketplace/add-signature.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';

/** A policy as it will be handed in. */
export interface SignedPolicy {
  readonly statement: PolicyStatement;
  readonly envelope: Envelope;
}

/** What another officer signed into the file at `path`, the same words under `key` too. Throws CliError `bad-file`. */
export function alsoSigned(key: SigningKey, path: string): SignedPolicy {
  const read = readStatementFile('policy', path);
  const envelope = addSignature('policy', read, key);
  if (envelope === undefined)
    throw new CliError('bad-file', `${path} is not as its officer’s command wrote it`, { next: 'take that file' });
  return { statement: read.claimed, envelope };
}
