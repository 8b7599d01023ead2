import { fromUtf8, type Brand, type Json } from '@ringfence/base';
import {
  CryptoError,
  signEnvelope,
  statementDigest,
  verifyEnvelope,
  type Digest,
  type Envelope,
  type SigningKey,
  type SigningPublicKey,
  type StatementType,
} from '@ringfence/crypto/sign';
import { envelope as ownEnvelope, evidenceEnvelope } from '@ringfence/protocol';
import { contractEnvelope } from '@ringfence/protocol/federation';
import { STATEMENTS, type StatementBody, type StatementName } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { KeyringError } from './keyring-error.ts';

const anyEnvelope = z.union([ownEnvelope, contractEnvelope, evidenceEnvelope]);

/** A well-formed statement that nobody has vouched for yet; what it says is `claimed`, never `body`. */
export interface Unverified<Name extends StatementName> {
  readonly name: Name;
  readonly envelope: Envelope;
  readonly claimed: StatementBody<Name>;
  readonly digest: Digest;
}

/** A statement whose signatures were checked against keys that may sign it; only {@link verifyStatement} makes one. */
export type Verified<Name extends StatementName> = Brand<
  {
    readonly name: Name;
    readonly envelope: Envelope;
    readonly body: StatementBody<Name>;
    readonly digest: Digest;
  },
  `Verified:${Name}`
>;

/** The DSSE payload type of a statement. */
export function statementType(name: StatementName): StatementType {
  // Of in-toto's envelopes (in-toto/attestation, spec/v1/envelope.md).
  if (name === 'evidence') return 'application/vnd.in-toto+json';
  return `application/vnd.ringfence.${name}.v1+json`;
}

/** The envelope in `value`; throws KeyringError `malformed` for anything that is not one or is too large. */
export function parseEnvelope(value: unknown): Envelope {
  const parsed = anyEnvelope.safeParse(value);
  if (!parsed.success) throw malformed();
  return parsed.data;
}

/** What `envelope` claims as a `name`; throws KeyringError `malformed`. No signature is checked. */
export function readStatement<Name extends StatementName>(name: Name, envelope: Envelope): Unverified<Name> {
  if (envelope.payloadType !== statementType(name)) throw malformed();
  const parsed = STATEMENTS[name].safeParse(parsePayload(envelope.payload));
  if (!parsed.success) throw malformed();
  return { name, envelope, claimed: parsed.data as StatementBody<Name>, digest: digestOf(envelope) };
}

/**
 * The statement, once `threshold` different keys of `keys` have signed it. Throws KeyringError `bad-signature`, or
 * `malformed` when the signed bytes are not canonical.
 */
export function verifyStatement<Name extends StatementName>(
  statement: Unverified<Name>,
  keys: readonly SigningPublicKey[],
  threshold = 1,
): Verified<Name> {
  const { name, envelope, claimed, digest } = statement;
  try {
    verifyEnvelope(envelope, statementType(name), keys, threshold);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code === 'not-canonical') throw malformed(error);
    throw new KeyringError('bad-signature', 'a statement is not signed by those who may sign it', { cause: error });
  }
  return { name, envelope, body: claimed, digest } as unknown as Verified<Name>;
}

/** `body` signed by each of `keys`; throws KeyringError `malformed` for a body that its own reader would refuse. */
export function signStatement<Name extends StatementName>(
  name: Name,
  body: StatementBody<Name>,
  keys: readonly SigningKey[],
): Envelope {
  const parsed = STATEMENTS[name].safeParse(body);
  if (!parsed.success) throw malformed(parsed.error);
  return parseEnvelope(signEnvelope(statementType(name), parsed.data as Json, keys));
}

function parsePayload(payload: string): unknown {
  try {
    return JSON.parse(fromUtf8(Buffer.from(payload, 'base64')));
  } catch (error) {
    throw malformed(error);
  }
}

function digestOf(envelope: Envelope): Digest {
  try {
    return statementDigest(envelope);
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(cause?: unknown): KeyringError {
  return new KeyringError('malformed', 'not a well-formed statement of the expected kind', { cause });
}
