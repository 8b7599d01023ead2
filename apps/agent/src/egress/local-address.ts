import { BlockList, isIP, isIPv6 } from 'node:net';

/** Addresses that mean the agent's machine, its link, or the services of its cloud about itself; never a place of the outside. */
const LOCAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  LOCAL.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  LOCAL.addSubnet(network, prefix, 'ipv6');
/** Metadata services outside the link-local range: AWS over IPv6, Alibaba Cloud, Azure, Oracle Cloud. */
for (const address of ['fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192'])
  LOCAL.addAddress(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/** IPv6 ranges that carry an IPv4 address in their last 32 bits (RFC 4291 section 2.5.5, RFC 6052 section 2.1, RFC 8215, RFC 7915). */
const CARRIES_IPV4 = new BlockList();
CARRIES_IPV4.addSubnet('::', 96, 'ipv6');
CARRIES_IPV4.addSubnet('64:ff9b::', 96, 'ipv6');
CARRIES_IPV4.addSubnet('64:ff9b:1::', 48, 'ipv6');
CARRIES_IPV4.addSubnet('::ffff:0:0:0', 96, 'ipv6');

/**
 * Whether a connection to `address` would stay on this machine or its link, so that a job could reach what listens for the
 * machine's own people. `own` are the addresses of its interfaces. What is no address counts as local.
 */
export function isLocalAddress(address: string, own: readonly string[]): boolean {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const version = isIP(plain);
  if (version === 0) return true;
  const blocked = new BlockList();
  for (const mine of own) blocked.addAddress(mine.replace(/%.*$/, ''), isIPv6(mine) ? 'ipv6' : 'ipv4');
  const family = version === 4 ? 'ipv4' : 'ipv6';
  // BlockList itself compares an IPv4-mapped address with IPv4 rules.
  if (LOCAL.check(plain, family) || blocked.check(plain, family)) return true;
  if (version === 4 || !CARRIES_IPV4.check(plain, 'ipv6')) return false;
  const inner = carriedIpv4(plain);
  return LOCAL.check(inner, 'ipv4') || blocked.check(inner, 'ipv4');
}

/** The last 32 bits of an IPv6 address as an IPv4 address. */
function carriedIpv4(address: string): string {
  // The URL parser writes an address in its one canonical form (WHATWG URL, "IPv6 serializer"): groups of hex digits only.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split(':');
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group === '' ? '0' : group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
