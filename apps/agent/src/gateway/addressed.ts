import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { ServedEndpoint } from './served-endpoint.ts';

/** The endpoints of a gateway, by what callers name them. */
export interface Addresses {
  readonly byName: ReadonlyMap<string, ServedEndpoint>;
  readonly byHost: ReadonlyMap<string, ServedEndpoint>;
}

/** Which endpoint a request is for, and the path that its replica gets: by the host name of an endpoint, else by the first step of the path. */
export function addressed(
  request: IncomingMessage,
  { byName, byHost }: Addresses,
): { endpoint: ServedEndpoint; path: string } | undefined {
  const target = request.url ?? '';
  // Absolute forms (RFC 9112 §3.2.2) are for proxies, and `*` for servers as a whole.
  if (!target.startsWith('/')) return undefined;
  const host = hostOf(request.headers.host);
  const named = byHost.get(host) ?? byHost.get(servername(request));
  if (named !== undefined) return { endpoint: named, path: target };
  const end = target.slice(1).search(/[/?]/);
  const name = end === -1 ? target.slice(1) : target.slice(1, end + 1);
  const endpoint = byName.get(name);
  if (endpoint === undefined) return undefined;
  const rest = end === -1 ? '' : target.slice(end + 1);
  return { endpoint, path: rest.startsWith('/') ? rest : `/${rest}` };
}

function hostOf(header: string | undefined): string {
  return (header ?? '').replace(/:\d{1,5}$/, '').toLowerCase();
}

function servername({ socket }: IncomingMessage): string {
  const { servername: name } = socket as TLSSocket & { servername?: string | false };
  return typeof name === 'string' ? name.toLowerCase() : '';
}
