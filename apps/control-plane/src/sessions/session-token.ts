import { Secret, toBase64Url, utf8, type Rng } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';

const BYTES = 32;
const COOKIE = '__Host-rf';
const VALUE = /(?:^|; ?)__Host-rf=([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])(?:;|$)/;

/** What a browser shows beside its signature: 256 random bits, as the cookie spells them. */
export function drawSessionToken(rng: Rng): Secret {
  return new Secret(utf8(toBase64Url(rng.bytes(BYTES))));
}

/** What lies in the table in place of a token. */
export function sessionTokenDigest(token: Secret): Digest {
  return sha256Hex(Buffer.concat([utf8('ringfence/session-token/v1\0'), token.expose()]));
}

/** `set-cookie` for a session that just began, or, without a token, for one that ended (RFC 6265bis §4.1.3.2: sent to this host alone). */
export function sessionCookie(token: Secret | undefined): string {
  const value = token === undefined ? '; Max-Age=0' : Buffer.from(token.expose()).toString('latin1');
  return `${COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

/** The token of a `cookie` header; undefined where there is none, or more than one. */
export function readSessionCookie(header: unknown): Secret | undefined {
  if (typeof header !== 'string') return undefined;
  const [, value] = VALUE.exec(header) ?? [];
  const isAlone = header.indexOf(`${COOKIE}=`) === header.lastIndexOf(`${COOKIE}=`);
  return value !== undefined && isAlone ? new Secret(utf8(value)) : undefined;
}
