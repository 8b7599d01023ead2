import { BlockList, isIP, isIPv6 } from 'node:net';
import { carriedIpv4 } from './carried-ipv4.ts';

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
  if (version === 4) return false;
  return carriedIpv4(plain).some((inner) => LOCAL.check(inner, 'ipv4') || blocked.check(inner, 'ipv4'));
}
