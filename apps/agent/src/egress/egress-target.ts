import { isIP } from 'node:net';

/** What kind of host a job named: all that is counted of it. */
export type HostClass = 'name' | 'ipv4' | 'ipv6' | 'none';

/** Where a request of a job wants to go. */
export interface EgressWish {
  readonly host: string;
  readonly port: number;
  /** `host:port` as lists write it: lower case, IPv6 in brackets. */
  readonly key: string;
  readonly hostClass: HostClass;
}

/** Reads the target of a CONNECT (RFC 9110 section 9.3.6, authority-form); undefined for anything else. */
export function readConnectTarget(text: string): EgressWish | undefined {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253})):([1-9][0-9]{0,4})$/i.exec(text);
  return match === null ? undefined : wishOf(match[1] ?? match[2] ?? '', Number(match[3]));
}

/** Reads the absolute-form of a plain HTTP request (RFC 9112 section 3.2.2), with the path that is left; undefined for anything else. */
export function readAbsoluteTarget(text: string): { wish: EgressWish; path: string } | undefined {
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const wish = wishOf(url.hostname.replace(/^\[|\]$/g, ''), url.port === '' ? 80 : Number(url.port));
  return wish === undefined ? undefined : { wish, path: url.pathname + url.search };
}

/** A host (an IPv6 address without brackets) and a port as a wish; undefined when they are none. */
export function wishOf(text: string, port: number): EgressWish | undefined {
  if (text === '' || port < 1 || port > 65_535) return undefined;
  const host = text.toLowerCase();
  const version = isIP(host);
  const hostClass = version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : 'name';
  return { host, port, key: `${version === 6 ? `[${host}]` : host}:${port}`, hostClass };
}
