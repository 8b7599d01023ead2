import type { Digest, Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import type { EvidencePredicate } from '@ringfence/protocol/statements';
import { tryRead, tryVerify } from '../admission/open.ts';
import type { Keyring } from '../chain/keyring.ts';
import type { Unverified, Verified } from '../statement.ts';

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

/** Revocations by the document that each is about, parsed once and not verified yet. */
export type RevocationsByEvidence = ReadonlyMap<Digest, readonly Unverified<'evidence-revocation'>[]>;

/** Why a document says nothing at all. */
export type EvidenceFault = 'malformed' | 'issuer' | 'revoked';

/** What comes of reading a document. */
export type ReadEvidence =
  | { readonly claim: EvidenceClaim }
  | { readonly fault: EvidenceFault; readonly digest?: Digest };

/** The claim of `document`, or why it counts nowhere. */
export function readEvidence(document: Envelope, revocations: readonly Envelope[], keyring: Keyring): ReadEvidence {
  const read = tryRead('evidence', document);
  return read === undefined ? { fault: 'malformed' } : judgeEvidence(read, revocationsByEvidence(revocations), keyring);
}

/** As {@link readEvidence}, for many documents: all is parsed already. */
export function judgeEvidence(
  read: Unverified<'evidence'>,
  revocations: RevocationsByEvidence,
  keyring: Keyring,
): ReadEvidence {
  const { digest, claimed } = read;
  for (const issuer of keyring.evidenceIssuers(claimed.predicate.standard)) {
    const verified = tryVerify(read, () => [issuer]);
    if (verified === undefined) continue;
    const revoked = revocations.get(digest)?.some((revocation) => tryVerify(revocation, () => [issuer]) !== undefined);
    if (revoked === true) return { fault: 'revoked', digest };
    return { claim: { ...verified.body.predicate, digest, issuer } };
  }
  return { fault: 'issuer', digest };
}

/** Parses each once; what is malformed is left out. */
export function revocationsByEvidence(revocations: readonly Envelope[]): RevocationsByEvidence {
  const by = new Map<Digest, Unverified<'evidence-revocation'>[]>();
  for (const revocation of revocations) {
    const read = tryRead('evidence-revocation', revocation);
    if (read === undefined) continue;
    const { evidence } = read.claimed;
    const others = by.get(evidence);
    if (others === undefined) by.set(evidence, [read]);
    else others.push(read);
  }
  return by;
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
