export { ClientError, type ClientErrorCode } from '../error.ts';
export { parseRelayAddress, relayAddressOf, type RelayAddress } from '../relay-protocol/index.ts';
export { payloadAgent, type PayloadAgent } from './agent.ts';
export { dialPayload, type DialOptions } from './dial.ts';
export { expectKeys, type ExpectPeer, type PeerDecision } from './expected-peer.ts';
export { linkHttpServer } from './link-http-server.ts';
export { createLinkIdentity, storedLinkIdentity, type LinkIdentity } from './link-identity.ts';
export type { LinkLimits } from './link-limits.ts';
export { peerOf, type Admission, type LinkPeer, type PeerName } from './link-peer.ts';
export { LINK_PROTOCOL } from './link-tls.ts';
export type { ListenerState } from './listener-state.ts';
export type { RelayListener } from './relay-listener.ts';
export type { RelayAccess } from './relay-socket.ts';
export {
  requestPayload,
  streamPayload,
  type JsonResponse,
  type PayloadRequest,
  type RequestBody,
  type StreamedResponse,
} from './request.ts';
export { routesTo, type LanRoute, type RelayRoute, type Route } from './route.ts';
export {
  servePayload,
  type LanAddress,
  type ListenRelayOptions,
  type PayloadListener,
  type ServeOptions,
} from './serve.ts';
