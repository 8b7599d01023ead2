/** The eight groups of an IPv6 address without a zone. Throws TypeError for what is none. */
export function ipv6Groups(address: string): readonly number[] {
  // The URL parser writes an address in its one canonical form (WHATWG URL, "IPv6 serializer"): groups of hex digits only.
  const [before = '', after] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const read = (text: string | undefined) =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [head, tail] = [read(before), read(after)];
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/**
 * The network that a client's address, as a socket says it, is counted by: an IPv4 address (also one mapped into IPv6), or the /64 of an IPv6
 * address, which is what one household or server gets (RFC 6177).
 */
export function clientNetwork(address: string): string {
  if (!address.includes(':')) return address;
  const groups = ipv6Groups(address.split('%')[0] ?? '');
  const [first, high = 0, low = 0] = groups.slice(5);
  if (first === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}
