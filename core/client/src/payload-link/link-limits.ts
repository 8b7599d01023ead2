import type { TlsPublicKey } from '@ringfence/crypto/certificate';

/** How much a listener takes at one time. */
export interface LinkLimits {
  /** Links, those in the handshake included. */
  readonly links: number;
  /** Links in the handshake: nobody has proven anything yet. */
  readonly handshakes: number;
  /** Links from one network address; relayed ones have none. */
  readonly linksPerAddress: number;
  /** Links of one key. */
  readonly linksPerPeer: number;
  /** Links of keys that are admitted as `unknown`, all together. */
  readonly linksOfUnknown: number;
  /** Milliseconds for the handshake. */
  readonly handshakeWithin: number;
}

/** Limits unless told. */
export const DEFAULT_LINK_LIMITS: LinkLimits = {
  links: 512,
  handshakes: 64,
  linksPerAddress: 64,
  linksPerPeer: 32,
  linksOfUnknown: 16,
  handshakeWithin: 10_000,
};

/** Gives a place back. */
export type Release = () => void;

/** Counts links against {@link LinkLimits}. A link is `open` from its first byte, and from `admit` on also a peer's. */
export class LinkCounts {
  readonly #limits: LinkLimits;
  readonly #perAddress = new Map<string, number>();
  readonly #perPeer = new Map<string, number>();
  #open = 0;
  #admitted = 0;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  /** A place for a link that starts its handshake; undefined when there is none. */
  open(address: string | undefined): Release | undefined {
    if (this.#open >= this.#limits.links || this.#open - this.#admitted >= this.#limits.handshakes) return undefined;
    const release = take(this.#perAddress, address, this.#limits.linksPerAddress);
    if (release === undefined) return undefined;
    this.#open += 1;
    return () => {
      this.#open -= 1;
      release();
    };
  }

  /** A place for an open link whose peer was admitted; undefined when the peer has too many. */
  admit(peer: TlsPublicKey): Release | undefined {
    const release = take(this.#perPeer, peer, this.#limits.linksPerPeer);
    if (release === undefined) return undefined;
    this.#admitted += 1;
    return () => {
      this.#admitted -= 1;
      release();
    };
  }
}

function take(counts: Map<string, number>, key: string | undefined, most: number): Release | undefined {
  if (key === undefined) return () => {};
  const count = counts.get(key) ?? 0;
  if (count >= most) return undefined;
  counts.set(key, count + 1);
  return () => {
    const left = (counts.get(key) ?? 1) - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}
