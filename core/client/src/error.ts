import { RingfenceError } from '@ringfence/base';

/** Why a link or a request over it failed, or was refused by this side. */
export type ClientErrorCode =
  /** The caller's signal ended it. */
  | 'aborted'
  /** A pack's manifest or one of its objects is not as it should be. */
  | 'bad-pack'
  /** The answer is not what the protocol allows. */
  | 'bad-response'
  /** A server's certificate or key file cannot be used. */
  | 'bad-certificate'
  /** A stored identity is damaged. */
  | 'bad-identity'
  /** A CA file or a pin cannot be used. */
  | 'bad-trust'
  /** What is left of a closed segment of a journal is damaged. */
  | 'broken-steps'
  /** A URL of a relay, server or proxy cannot be used. */
  | 'bad-url'
  /** The listener could not bind its address. */
  | 'cannot-listen'
  /** Another process works in this folder. */
  | 'folder-in-use'
  /** A journal could not be written; the process has to stop. */
  | 'journal-failed'
  /** A link that worked broke. */
  | 'link-broken'
  /** The other side closed a new link before it answered. */
  | 'link-refused'
  /** The party has no listener at the relay. */
  | 'peer-offline'
  /** The party has as many links or waiting calls as the relay allows. */
  | 'peer-busy'
  /** The party's listener did not take the call. */
  | 'peer-silent'
  /** The proxy refused to connect. */
  | 'proxy-refused'
  /** The relay refused this request. */
  | 'relay-refused'
  /** Another process listens with this identity. */
  | 'replaced'
  /** The server takes nothing more now, and says when it will. */
  | 'server-busy'
  /** Nothing answered in time. */
  | 'timed-out'
  /** An answer is longer than the caller allows, or a message than a frame holds. */
  | 'too-large'
  /** No connection to the host. */
  | 'unreachable'
  /** The server's certificate does not verify. */
  | 'untrusted-server'
  /** A state folder holds something of another party. */
  | 'wrong-folder'
  /** The other end of a payload link is not who it has to be. */
  | 'wrong-peer';

/** The one error class of this package; messages carry no secrets and nothing that a peer chose. */
export class ClientError extends RingfenceError<ClientErrorCode> {}
