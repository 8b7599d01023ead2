export { CryptoError, type CryptoErrorCode } from '../crypto-error.ts';
export { Sha256, parseDigest, sha256, sha256Hex, type Digest } from '../digest.ts';
export {
  preAuthenticationEncoding,
  signEnvelope,
  signEnvelopeAside,
  statementDigest,
  verifyEnvelope,
  type Envelope,
  type EnvelopeSignature,
  type SignedAside,
  type StatementBytes,
  type StatementType,
} from './envelope.ts';
export { IdentityKey } from './identity-key.ts';
export { checkProof, proveCode } from './join-proof.ts';
export { fingerprintWords, keyIdOf, type KeyId } from './key-fingerprint.ts';
export { SIGNATURE_DOMAINS, type SignatureDomain } from './signature-domain.ts';
export { SigningKey, parseSigningPublicKey, verifySignature, type SigningPublicKey } from './signing-key.ts';
