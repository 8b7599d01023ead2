import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';

/** Who an admitted peer is: a member of the keyring by its id, or `unknown` where a listener lets strangers in to join. */
export type PeerName = { readonly kind: 'known'; readonly id: string } | { readonly kind: 'unknown' };

/** Whether the party with a key may open a link to this side, and as whom. */
export type Admission =
  | {
      readonly allow: true;
      readonly peer: PeerName;
      /** What the peer's requests rest on: a link that was opened with one that is gone at a recheck is cut. */
      readonly rights?: readonly string[];
    }
  | { readonly allow: false; readonly reasons: readonly string[] };

/** The other end of an admitted link: who it is, the key that it proved to hold, and the certificate (DER) by which it carried that key. */
export type LinkPeer = PeerName & { readonly key: TlsPublicKey; readonly certificate?: Uint8Array | undefined };

const peers = new WeakMap<object, LinkPeer>();

/** Remembers who is at the other end of a link. */
export function admitPeer(socket: TLSSocket, peer: LinkPeer): void {
  peers.set(socket, peer);
}

/** Who sent `request`; throws `TypeError` for a request that did not come over a payload link. */
export function peerOf(request: IncomingMessage): LinkPeer {
  const peer = peers.get(request.socket);
  if (peer === undefined) throw new TypeError('the request did not come over a payload link');
  return peer;
}
