import { ipv6Groups } from '@ringfence/base';

/** One way in which an IPv6 address carries an IPv4 address: whether it does, and which. */
type Carriage = (groups: readonly number[]) => readonly [high: number, low: number] | undefined;

const CARRIAGES: readonly Carriage[] = [
  // IPv4-compatible and IPv4-mapped (RFC 4291 section 2.5.5), IPv4-translated (RFC 2765 section 2.1).
  (g) =>
    starts(g, 0, 0, 0, 0) && [g[4], g[5]].every((group) => group === 0 || group === 0xffff) ? last(g) : undefined,
  // NAT64: the well-known prefix (RFC 6052 section 2.1), the one for local use (RFC 8215) by its last 32 bits ...
  (g) => (starts(g, 0x64, 0xff9b, 0, 0, 0, 0) || starts(g, 0x64, 0xff9b, 1) ? last(g) : undefined),
  // ... and as a prefix of 48 bits, around the bits 64 to 71 (RFC 6052 section 2.2).
  (g) => (starts(g, 0x64, 0xff9b, 1) ? [at(g, 3), ((at(g, 4) & 0xff) << 8) | (at(g, 5) >> 8)] : undefined),
  // 6to4 (RFC 3056 section 2).
  (g) => (starts(g, 0x2002) ? [at(g, 1), at(g, 2)] : undefined),
  // Teredo: the server, and the client with every bit turned over (RFC 4380 section 4).
  (g) => (starts(g, 0x2001, 0) ? [at(g, 2), at(g, 3)] : undefined),
  (g) => (starts(g, 0x2001, 0) ? [at(g, 6) ^ 0xffff, at(g, 7) ^ 0xffff] : undefined),
  // ISATAP (RFC 5214 section 6.1), in any network.
  (g) => ((at(g, 4) & ~0x0200) === 0 && at(g, 5) === 0x5efe ? last(g) : undefined),
];

/** Every IPv4 address that an IPv6 address (no zone) carries, however a router of the way may read it. */
export function carriedIpv4(address: string): readonly string[] {
  const groups = ipv6Groups(address);
  return CARRIAGES.flatMap((carriage) => {
    const carried = carriage(groups);
    if (carried === undefined) return [];
    return [carried.flatMap((group) => [group >> 8, group & 255]).join('.')];
  });
}

function starts(groups: readonly number[], ...prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

function last(groups: readonly number[]): readonly [number, number] {
  return [at(groups, 6), at(groups, 7)];
}

function at(groups: readonly number[], index: number): number {
  return groups[index] ?? 0;
}
