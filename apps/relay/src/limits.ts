/** How much the relay carries; each limit refuses, none of them queues. */
export interface RelayLimits {
  /** Open sockets, whatever they do. */
  readonly connections: number;
  /** Open sockets from one IPv4 address or IPv6 /64 network. */
  readonly connectionsPerClient: number;
  /** Links that are joined. */
  readonly links: number;
  /** Links to one address. */
  readonly linksPerAddress: number;
  /** Calls to one address that its listener has not taken. */
  readonly callsPerAddress: number;
  /** Milliseconds for a TLS handshake, and for the headers of a request. */
  readonly headersWithin: number;
  /** Milliseconds that a listener has for its proof and a call for being taken. */
  readonly answerWithin: number;
  /** Milliseconds without a byte after which a link is closed. */
  readonly idleWithin: number;
}

/** Limits unless told; a stalled link holds at most about 0.7 MB, so a full relay stays below 1 GB. */
export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  connections: 4096,
  connectionsPerClient: 256,
  links: 1024,
  linksPerAddress: 128,
  callsPerAddress: 32,
  headersWithin: 10_000,
  answerWithin: 10_000,
  idleWithin: 300_000,
};
