import { isId, utf8, type DeviceId } from '@ringfence/base';
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

/** Parameters of a signature: seconds since 1970, 16 random bytes in base64url, the device. */
export interface SignatureParameters {
  readonly created: number;
  readonly nonce: string;
  readonly device: DeviceId;
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

/** `sha-256` content digest of a body (RFC 9530 §2). */
export function contentDigest(body: Uint8Array): string {
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
 * Headers that sign `request` for `device`. The base is RFC 9421's; the Ed25519 signature is made under our domain tag
 * `ringfence/http/v1`, so no other signature of the key can stand in for one.
 */
export function signRequest(
  request: SignedRequest,
  key: SigningKey,
  parameters: SignatureParameters,
): SignatureHeaders {
  const written = writeParameters(parameters);
  const signature = key.sign('ringfence/http/v1', utf8(baseOf(request, written)));
  return {
    'content-digest': contentDigest(request.body),
    'signature-input': `rf=${written}`,
    signature: `rf=:${Buffer.from(signature).toString('base64')}:`,
  };
}

/** The parameters of a `signature-input` header; undefined when it is not exactly of our form. */
export function readSignatureInput(header: string): SignatureParameters | undefined {
  const [, created, nonce, device] = INPUT.exec(header) ?? [];
  if (created === undefined || nonce === undefined || device === undefined || !isId('device', device)) return undefined;
  return { created: Number(created), nonce, device };
}

/** Whether the headers are `key`'s signature over `request`; freshness and the nonce are the caller's to check. */
export function verifyRequest(request: SignedRequest, headers: SignatureHeaders, key: SigningPublicKey): boolean {
  const parameters = readSignatureInput(headers['signature-input']);
  const [, signature] = /^rf=:([A-Za-z0-9+/]{86}==):$/.exec(headers.signature) ?? [];
  if (parameters === undefined || signature === undefined) return false;
  if (headers['content-digest'] !== contentDigest(request.body)) return false;
  const base = baseOf(request, writeParameters(parameters));
  return verifySignature(key, 'ringfence/http/v1', utf8(base), Buffer.from(signature, 'base64'));
}

function writeParameters({ created, nonce, device }: SignatureParameters): string {
  return `${COMPONENTS};created=${created};nonce="${nonce}";keyid="${device}";alg="ed25519"`;
}

function baseOf(request: SignedRequest, parameters: string): string {
  const lines = [
    ['@method', request.method.toUpperCase()],
    ['@path', request.path],
    ['@query', request.query],
    ['content-digest', contentDigest(request.body)],
  ] as const;
  return signatureBase(lines, parameters);
}
