import { isId, utf8, type AccountKeyId, type DeviceId, type SessionId } from '@ringfence/base';
import { sha256, verifySignature, type SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';

/** What of a request is signed: RFC 9421 components `@method`, `@path`, `@query` and `content-digest` (RFC 9530). */
export interface SignedRequest {
  readonly method: string;
  /** Absolute path without query. */
  readonly path: string;
  /** `?` and what follows; `?` alone when there is none (RFC 9421 §2.2.7). */
  readonly query: string;
  readonly body: Uint8Array;
}

/** Whose key signs: a device's, a browser's that signed in, or a service account's. */
export type SignerId = DeviceId | SessionId | AccountKeyId;

/** Parameters of a signature: seconds since 1970, 16 random bytes in base64url, whose key it is. */
export interface SignatureParameters {
  readonly created: number;
  readonly nonce: string;
  readonly signer: SignerId;
}

/** Headers that carry a signature. */
export interface SignatureHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

const COMPONENTS = '("@method" "@path" "@query" "content-digest")';
const INPUT =
  /^rf=\("@method" "@path" "@query" "content-digest"\);created=([1-9]\d{0,10});nonce="([A-Za-z0-9_-]{22})";keyid="([a-z0-9_]{1,64})";alg="ed25519"$/;

const LABEL = 'rf=';
const DIGEST_OF_NOTHING = digestOf(new Uint8Array());

/** `sha-256` content digest of a body (RFC 9530 §2). */
export function contentDigest(body: Uint8Array): string {
  return body.length === 0 ? DIGEST_OF_NOTHING : digestOf(body);
}

function digestOf(body: Uint8Array): string {
  return `sha-256=:${Buffer.from(sha256(body)).toString('base64')}:`;
}

/** The signature base (RFC 9421 §2.5) of given component lines and parameters. */
export function signatureBase(
  lines: readonly (readonly [component: string, value: string])[],
  parameters: string,
): string {
  return [...lines.map(([component, value]) => `"${component}": ${value}`), `"@signature-params": ${parameters}`].join(
    '\n',
  );
}

/**
 * Headers that sign `request` for `signer`. The base is RFC 9421's; the Ed25519 signature is made under our domain tag
 * `ringfence/http/v1`, so no other signature of the key can stand in for one.
 */
export function signRequest(
  request: SignedRequest,
  key: SigningKey,
  parameters: SignatureParameters,
): SignatureHeaders {
  const written = writeParameters(parameters);
  const digest = contentDigest(request.body);
  const signature = key.sign('ringfence/http/v1', utf8(baseOf(request, digest, written)));
  return {
    'content-digest': digest,
    'signature-input': `${LABEL}${written}`,
    signature: `rf=:${Buffer.from(signature).toString('base64')}:`,
  };
}

/** The parameters of a `signature-input` header; undefined when it is not exactly of our form. */
export function readSignatureInput(header: string): SignatureParameters | undefined {
  const [, created, nonce, signer] = INPUT.exec(header) ?? [];
  if (created === undefined || nonce === undefined || signer === undefined || !isSigner(signer)) return undefined;
  return { created: Number(created), nonce, signer };
}

function isSigner(id: string): id is SignerId {
  return isId('device', id) || isId('session', id) || isId('accountKey', id);
}

/** Whether the headers are `key`'s signature over `request`; freshness and the nonce are the caller's to check. */
export function verifyRequest(request: SignedRequest, headers: SignatureHeaders, key: SigningPublicKey): boolean {
  const input = headers['signature-input'];
  const [, signature] = /^rf=:([A-Za-z0-9+/]{86}==):$/.exec(headers.signature) ?? [];
  if (signature === undefined || readSignatureInput(input) === undefined) return false;
  const digest = contentDigest(request.body);
  if (headers['content-digest'] !== digest) return false;
  // A header of our form is spelled in one way, so what follows its label is what was signed.
  const base = baseOf(request, digest, input.slice(LABEL.length));
  return verifySignature(key, 'ringfence/http/v1', utf8(base), Buffer.from(signature, 'base64'));
}

function writeParameters({ created, nonce, signer }: SignatureParameters): string {
  return `${COMPONENTS};created=${created};nonce="${nonce}";keyid="${signer}";alg="ed25519"`;
}

function baseOf(request: SignedRequest, digest: string, parameters: string): string {
  const lines = [
    ['@method', request.method.toUpperCase()],
    ['@path', request.path],
    ['@query', request.query],
    ['content-digest', digest],
  ] as const;
  return signatureBase(lines, parameters);
}
