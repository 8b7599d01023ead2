import type { ClientRequestArgs } from 'node:http';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/**
 * A TLS connection over a TCP socket that is visible by itself, so that its bytes can be counted as the network sees
 * them. For `createConnection` of requests and WebSockets, whose other options it hands to `tls.connect`.
 */
export function tlsOverTcp(options: ClientRequestArgs & { readonly servername?: string | undefined }): TLSSocket {
  const { path: _, host, port, ...rest } = options;
  const name = host ?? '';
  const servername = options.servername ?? (isIP(name) === 0 ? name : '');
  const socket = connectTcp({ host: name, port: Number(port ?? 443) });
  return connectTls({ ...rest, host: name, servername, socket });
}
