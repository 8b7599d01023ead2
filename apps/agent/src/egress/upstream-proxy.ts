import { request as requestHttp, type ClientRequest } from 'node:http';
import { request as requestHttps } from 'node:https';
import { fromUtf8, Secret, utf8 } from '@ringfence/base';

/** The proxy through which a site reaches the outside. */
export interface UpstreamProxy {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** `Basic …` of RFC 7617; undefined for a proxy that asks nobody who it is. */
  readonly authorization: Secret | undefined;
}

/** The proxy at `http(s)://[user:password@]host[:port]`; throws TypeError for what is no URL. */
export function upstreamProxy(url: string): UpstreamProxy {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'https:';
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return {
    secure,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    authorization: username === '' ? undefined : new Secret(utf8(`Basic ${login}`)),
  };
}

/** A request to the proxy, with its credentials. */
export function requestUpstream(
  { secure, host, port, authorization }: UpstreamProxy,
  asked: { method: string; path: string; headers: Record<string, string | string[]> },
): ClientRequest {
  const login = authorization === undefined ? {} : { 'proxy-authorization': fromUtf8(authorization.expose()) };
  const options = {
    ...asked,
    host,
    port,
    setHost: false,
    agent: false,
    headers: { ...asked.headers, ...login },
  } as const;
  return secure ? requestHttps(options) : requestHttp(options);
}
