import { toBase64, toBase64Url } from './base64url.ts';
import type { KeptKey } from './kept-key.ts';

const DOMAIN = 'ringfence/http/v1\0';
const COMPONENTS = '("@method" "@path" "@query" "content-digest")';

/** What of a request is signed; `path` without query. */
export interface Unsigned {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Headers that sign a request for the session of `key` (RFC 9421, RFC 9530), as core/protocol/src/api/signature.ts reads them: Ed25519 under a
 * domain tag of Ringfence's.
 */
export async function signatureHeaders(
  { method, path, body }: Unsigned,
  { session = '', privateKey }: KeptKey,
): Promise<Record<string, string>> {
  const digest = `sha-256=:${toBase64(await crypto.subtle.digest('SHA-256', body))}:`;
  // oxlint-disable-next-line no-restricted-globals, no-restricted-properties -- a page is its own composition root
  const created = Math.floor(Date.now() / 1000);
  const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
  const parameters = `${COMPONENTS};created=${created};nonce="${nonce}";keyid="${session}";alg="ed25519"`;
  const base = [
    `"@method": ${method}`,
    `"@path": ${path}`,
    '"@query": ?',
    `"content-digest": ${digest}`,
    `"@signature-params": ${parameters}`,
  ].join('\n');
  const signature = await crypto.subtle.sign('Ed25519', privateKey, new TextEncoder().encode(DOMAIN + base));
  return {
    'content-digest': digest,
    'signature-input': `rf=${parameters}`,
    signature: `rf=:${toBase64(signature)}:`,
  };
}
