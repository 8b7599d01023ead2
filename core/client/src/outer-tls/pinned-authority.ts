import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { TLSSocket, type DetailedPeerCertificate } from 'node:tls';
import { certificateFingerprint } from '@ringfence/crypto/certificate';
import type { Digest } from '@ringfence/crypto/sign';
import { connectionError } from '../connection-error.ts';
import { ClientError } from '../error.ts';
import { proxyAgent } from './proxy-agent.ts';
import { tlsOverTcp } from './tls-over-tcp.ts';

const LONGEST_CHAIN = 8;

/**
 * The CA certificate (PEM) with the SHA-256 fingerprint `pin`, taken from the chain that the server at `url` shows. The
 * connection that fetches it sends no application byte and is dropped; the fingerprint alone makes the result
 * trustworthy, and every later connection verifies against it in full. Throws ClientError `untrusted-server`,
 * `unreachable`, `proxy-refused`.
 */
export async function fetchPinnedAuthority(options: {
  url: URL;
  pin: Digest;
  proxy?: string | undefined;
  signal: AbortSignal;
}): Promise<string> {
  const { url, pin, proxy, signal } = options;
  const root = rootOf(await shownChain(url, proxy, signal));
  if (root === undefined || certificateFingerprint(root) !== pin)
    throw new ClientError('untrusted-server', 'the server does not belong to the pinned certificate authority', {
      next: 'compare the fingerprint with the one that the server printed; if it did not change, something sits in between',
    });
  return new X509Certificate(root).toString();
}

/** The chain of one handshake. `request` writes nothing before `end()`, which is never called. */
async function shownChain(url: URL, proxy: string | undefined, signal: AbortSignal): Promise<DetailedPeerCertificate> {
  const probe = request(url, {
    ...(proxy === undefined ? { createConnection: tlsOverTcp } : { agent: proxyAgent(proxy, signal) }),
    // The chain is only read here; what it must contain is checked by the caller.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    signal,
  });
  try {
    return await new Promise((resolve, reject) => {
      probe.once('error', (error) => reject(connectionError(error)));
      probe.once('response', () => reject(proxyRefused()));
      probe.once('socket', (socket) => {
        if (!(socket instanceof TLSSocket)) return reject(proxyRefused());
        socket.once('secureConnect', () => resolve(socket.getPeerCertificate(true)));
      });
    });
  } finally {
    probe.on('error', () => {});
    probe.destroy();
  }
}

function proxyRefused(): ClientError {
  return new ClientError('proxy-refused', 'the proxy refused to connect', {
    next: 'check the proxy URL, its user and password, and that it may reach this server',
  });
}

/** DER of the last, self-issued certificate of a chain. */
function rootOf(leaf: DetailedPeerCertificate): Buffer | undefined {
  let certificate: DetailedPeerCertificate | undefined = leaf;
  for (let depth = 0; depth < LONGEST_CHAIN; depth += 1) {
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    if (issuer === undefined) return undefined;
    if (issuer.raw.equals(certificate.raw)) return certificate.raw;
    certificate = issuer;
  }
  return undefined;
}
