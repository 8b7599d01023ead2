import { parseRelayAddress, type RelayAddress } from './address.ts';
import { parseRelayTicket, type RelayTicket } from './ticket.ts';

/** What a WebSocket asks a relay for. */
export type RelayRequest =
  | { readonly kind: 'listen' }
  | { readonly kind: 'dial'; readonly address: RelayAddress }
  | { readonly kind: 'accept'; readonly ticket: RelayTicket };

/** The request path that carries `request`. */
export function relayPathOf(request: RelayRequest): string {
  switch (request.kind) {
    case 'listen':
      return '/v1/listen';
    case 'dial':
      return `/v1/dial/${request.address}`;
    case 'accept':
      return `/v1/accept/${request.ticket}`;
  }
}

/** The request that a path spells; undefined for any other path, a query string included. */
export function parseRelayPath(path: string): RelayRequest | undefined {
  if (path === '/v1/listen') return { kind: 'listen' };
  const match = /^\/v1\/(dial|accept)\/([A-Za-z0-9_-]{1,64})$/.exec(path);
  if (match === null) return undefined;
  const [, kind, text = ''] = match;
  if (kind === 'dial') {
    const address = parseRelayAddress(text);
    return address === undefined ? undefined : { kind, address };
  }
  const ticket = parseRelayTicket(text);
  return ticket === undefined ? undefined : { kind: 'accept', ticket };
}
