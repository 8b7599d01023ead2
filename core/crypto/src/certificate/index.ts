export {
  checkCertificateRequest,
  createCertificateRequest,
  issueForRequest,
  type CertificateRequest,
  type CheckedRequest,
} from './certificate-request.ts';
export { CryptoError, type CryptoErrorCode } from '../crypto-error.ts';
export {
  createCertificateAuthority,
  issueServerCertificate,
  type CertificateAuthority,
} from './certificate-authority.ts';
export { CertifyingKey } from './certifying-key.ts';
export { certificateFingerprint } from './fingerprint.ts';
export { issueNamedCertificate, readNamedCertificate, type NamedCertificate } from './named-certificate.ts';
export { selfSignedCertificate, type TlsIdentity } from './self-signed.ts';
export { TlsKey, parseTlsPublicKey, tlsPublicKeyOf, type TlsPublicKey } from './tls-key.ts';
