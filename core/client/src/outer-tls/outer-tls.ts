import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls';
import type { Clock, Secret } from '@ringfence/base';
import { parseDigest, type Digest } from '@ringfence/crypto/sign';
import { withDeadline } from '../deadline.ts';
import { ClientError } from '../error.ts';
import { fetchPinnedAuthority } from './pinned-authority.ts';
import { parseServerUrl } from './server-url.ts';

/** Whom a connection to a server of ours (control plane, custodian's HTTPS, relay) trusts to name it. */
export interface OuterTrust {
  /** PEM files of certificate authorities; only these are trusted then. Inspecting proxies need theirs here. */
  readonly caFile?: string | readonly string[] | undefined;
  /** SHA-256 of the DER of the one trusted CA certificate, in hexadecimal; used when there is no `caFile`. */
  readonly pin?: string | undefined;
  /** What this side shows a server that asks who it is. */
  readonly certificate?: ClientCertificate | undefined;
}

/** A client's certificate for mutual TLS, both in PEM. */
export interface ClientCertificate {
  readonly certificatePem: string;
  readonly keyPem: Secret;
}

/** Connect options for `ws`, `https` and `tls`; they are bound to one host name. Use one agent per value. */
export interface OuterTls {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: true;
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

const PROBE_WITHIN = 10_000;

/**
 * Connect options that verify the server at `url` (TLS 1.3, chain, validity, host name) against `caFile`, else against
 * the pinned authority, else against Node's and the system's authorities. A pin costs one extra handshake the first time.
 * Throws ClientError `bad-trust`, `bad-url`, `untrusted-server`, `unreachable`, `proxy-refused`, `timed-out`, `aborted`.
 */
export async function outerTls(
  options: OuterTrust & { url: string; clock: Clock; proxy?: string | undefined; signal?: AbortSignal | undefined },
): Promise<OuterTls> {
  const url = parseServerUrl(options.url);
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return {
    secureContext: await contextOf(url, options),
    rejectUnauthorized: true,
    // Not the name that the caller of this function was given: behind a proxy that can be the proxy's.
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  };
}

async function contextOf(url: URL, options: Parameters<typeof outerTls>[0]): Promise<SecureContext> {
  const { caFile, pin, certificate } = options;
  if (caFile !== undefined) return contextFor([caFile].flat().flatMap(readAuthorities), certificate);
  if (pin !== undefined) return contextFor([await pinnedAuthority(url, parsePin(pin), options)], certificate);
  if (certificate !== undefined) return contextFor(systemAuthorities(), certificate);
  systemContext ??= contextFor(systemAuthorities());
  return systemContext;
}

function systemAuthorities(): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system')];
}

/** Built once: some 800 authorities take 20 ms to parse. */
let systemContext: SecureContext | undefined;

function contextFor(ca: string[], certificate?: ClientCertificate): SecureContext {
  if (certificate === undefined) return createSecureContext({ ca, minVersion: 'TLSv1.3' });
  const { certificatePem, keyPem } = certificate;
  try {
    return createSecureContext({ ca, minVersion: 'TLSv1.3', cert: certificatePem, key: Buffer.from(keyPem.expose()) });
  } catch (cause) {
    throw new ClientError('bad-certificate', 'the certificate and key for this server cannot be used', {
      cause,
      next: 'give a certificate and its own private key, both in PEM, without a passphrase',
    });
  }
}

/** Pins name their content, so what was fetched once stays right; a process trusts a handful of servers. */
const authorities = new Map<Digest, string>();
const MOST_AUTHORITIES = 64;

async function pinnedAuthority(
  url: URL,
  pin: Digest,
  options: { clock: Clock; proxy?: string | undefined; signal?: AbortSignal | undefined },
): Promise<string> {
  const known = authorities.get(pin);
  if (known !== undefined) return known;
  const { clock, proxy, signal } = options;
  const fetched = await withDeadline({ clock, within: PROBE_WITHIN, signal }, (deadline) =>
    fetchPinnedAuthority({ url, pin, proxy, signal: deadline }),
  );
  if (authorities.size >= MOST_AUTHORITIES) authorities.clear();
  authorities.set(pin, fetched);
  return fetched;
}

function parsePin(text: string): Digest {
  const pin = parseDigest(text.replaceAll(':', '').toLowerCase());
  if (pin === undefined)
    throw new ClientError('bad-trust', 'a pin is the SHA-256 of a CA certificate: 64 hexadecimal digits', {
      next: 'copy the fingerprint that the server prints when it starts',
    });
  return pin;
}

function readAuthorities(path: string): string[] {
  try {
    const found = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (found.length === 0) throw new RangeError('no certificate in it');
    return found.map((pem) => new X509Certificate(pem).toString());
  } catch (cause) {
    throw new ClientError('bad-trust', `the CA file ${path} cannot be used`, {
      cause,
      next: 'name a readable PEM file with at least one certificate',
    });
  }
}
