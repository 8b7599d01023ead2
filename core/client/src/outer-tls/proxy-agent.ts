import { HttpsProxyAgent } from 'https-proxy-agent';
import { ClientError } from '../error.ts';

/**
 * An agent that reaches HTTPS and WSS servers through an HTTP proxy's CONNECT (RFC 9110 §9.3.6). `proxyUrl` is
 * `http(s)://[user:password@]host[:port]`; credentials go as Basic authentication (RFC 7617). `signal` cuts an attempt
 * that hangs in the proxy. Throws ClientError `bad-url`.
 */
export function proxyAgent(proxyUrl: string, signal?: AbortSignal): HttpsProxyAgent<string> {
  if (!isProxyUrl(proxyUrl))
    throw new ClientError('bad-url', 'the proxy is not an http:// or https:// URL', {
      next: 'write it as http://host:port, or http://user:password@host:port with % escapes',
    });
  return new HttpsProxyAgent(proxyUrl, signal === undefined ? {} : { signal });
}

function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return false;
  }
  return url.hostname !== '' && url.pathname === '/' && url.search === '' && url.hash === '';
}
