import { constants } from 'node:crypto';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { tlsPublicKeyOf, type TlsPublicKey } from '@ringfence/crypto/certificate';
import type { LinkIdentity } from './link-identity.ts';

/** The application protocol of payload links (RFC 7301): HTTP/1.1 between two identities. */
export const LINK_PROTOCOL = 'ringfence/1';

/**
 * TLS options of both ends: 1.3 only, Ed25519 certificates only, hybrid post-quantum key agreement first
 * (draft-ietf-tls-ecdhe-mlkem), no tickets. `rejectUnauthorized` is off because no authority vouches for these
 * certificates: {@link linkPeerKey} and the keyring decide, before a byte of HTTP.
 */
export function linkTlsOptions(identity: LinkIdentity) {
  return {
    cert: identity.tls.certificatePem,
    key: Buffer.from(identity.tls.privateKeyPem.expose()),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    ecdhCurve: 'X25519MLKEM768:X25519',
    sigalgs: 'ed25519',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: [LINK_PROTOCOL],
    requestCert: true,
    rejectUnauthorized: false,
  } as const satisfies TlsOptions;
}

/**
 * The key that the other end of a finished handshake proved to hold; undefined unless the handshake was a full one of
 * TLS 1.3 for this protocol with an Ed25519 certificate. A resumed session would skip the proof.
 */
export function linkPeerKey(socket: TLSSocket): TlsPublicKey | undefined {
  if (socket.getProtocol() !== 'TLSv1.3' || socket.isSessionReused()) return undefined;
  if (socket.alpnProtocol !== LINK_PROTOCOL) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : tlsPublicKeyOf(certificate.raw);
}
