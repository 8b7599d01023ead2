import { fromUtf8 } from '@ringfence/base';
import {
  statementDigest,
  verifyEnvelope,
  type Digest,
  type Envelope,
  type SigningPublicKey,
} from '@ringfence/crypto/sign';
import { STATEMENTS, type StatementBody, type StatementName } from '@ringfence/protocol/statements';
import { ControlPlaneError } from '../control-plane-error.ts';

/** A statement whose signature and form were checked. */
export interface VerifiedStatement<Name extends StatementName> {
  readonly body: StatementBody<Name>;
  readonly digest: Digest;
  readonly envelope: Envelope;
}

/**
 * The statement called `name` in `envelope`, signed by `key` and by nobody else: others would cost room that a lease's frame has not. Throws
 * ControlPlaneError `bad-statement`.
 */
export function verifyStatement<Name extends StatementName>(
  name: Name,
  envelope: Envelope,
  key: SigningPublicKey,
): VerifiedStatement<Name> {
  try {
    if (envelope.signatures.length !== 1) throw new TypeError('an envelope with one signature was expected');
    const bytes = verifyEnvelope(envelope, `application/vnd.ringfence.${name}.v1+json`, [key]);
    const body = STATEMENTS[name].parse(JSON.parse(fromUtf8(bytes))) as StatementBody<Name>;
    return { body, digest: statementDigest(envelope), envelope };
  } catch (cause) {
    throw new ControlPlaneError('bad-statement', `the ${name} statement does not verify`, {
      cause,
      next: 'launch again with a current client; if that does not help, look at `ringfence doctor`',
    });
  }
}

/** What a statement of our own rows says: it was verified before it was stored, or signed here. */
export function storedStatement<Name extends StatementName>(name: Name, { payload }: Envelope): StatementBody<Name> {
  return STATEMENTS[name].parse(JSON.parse(fromUtf8(Buffer.from(payload, 'base64')))) as StatementBody<Name>;
}
