/** `name:port` of a relay from its URL; the port is always written, the name as WHATWG URL spells it. */
export function relayHostOf(url: URL): string {
  return `${url.hostname}:${url.port === '' ? '443' : url.port}`;
}

/** The name in a `Host` header and the whole as {@link relayHostOf} spells it; undefined when it is no host. */
export function parseHostHeader(header: string): { name: string; host: string } | undefined {
  if (!/^[A-Za-z0-9.:[\]_-]{1,255}$/.test(header) || !URL.canParse(`https://${header}/`)) return undefined;
  const url = new URL(`https://${header}/`);
  return { name: url.hostname, host: relayHostOf(url) };
}
