import type { Digest, Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import type { EvidencePredicate } from '@ringfence/protocol/statements';
import { tryRead, tryVerify } from '../admission/open.ts';
import type { Keyring } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';

/** Evidence as it lies with whoever judges it: documents and revocations as received, of whatever worth. */
export interface EvidenceFile {
  readonly documents: readonly Envelope[];
  readonly revocations: readonly Envelope[];
}

/** What a document claims, once an issuer that the keyring pins for its standard has signed it and not taken it back. */
export interface EvidenceClaim extends EvidencePredicate {
  /** Names the document in receipts and revocations. */
  readonly digest: Digest;
  readonly issuer: SigningPublicKey;
}

/** Why a document says nothing at all. */
export type EvidenceFault = 'malformed' | 'issuer' | 'revoked';

/** The claim of `document`, or why it counts nowhere. */
export function readEvidence(
  document: Envelope,
  revocations: readonly Envelope[],
  keyring: Keyring,
): { readonly claim: EvidenceClaim } | { readonly fault: EvidenceFault; readonly digest?: Digest } {
  const read = tryRead('evidence', document);
  if (read === undefined) return { fault: 'malformed' };
  const { digest, claimed } = read;
  for (const issuer of keyring.evidenceIssuers(claimed.predicate.standard)) {
    const verified = tryVerify(read, () => [issuer]);
    if (verified === undefined) continue;
    if (revocations.some((revocation) => readRevocation(revocation, digest, issuer) !== undefined))
      return { fault: 'revoked', digest };
    return { claim: { ...verified.body.predicate, digest, issuer } };
  }
  return { fault: 'issuer', digest };
}

/** `revocation`, when it is the word of `issuer` about the document of this digest. */
export function readRevocation(
  revocation: Envelope,
  digest: Digest,
  issuer: SigningPublicKey,
): Verified<'evidence-revocation'> | undefined {
  const read = tryRead('evidence-revocation', revocation);
  return read?.claimed.evidence === digest ? tryVerify(read, () => [issuer]) : undefined;
}
