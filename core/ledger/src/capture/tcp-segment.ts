import type { CapturedPacket } from './capture-file.ts';

/** A TCP segment with its two ends, as `ADDRESS:PORT` with brackets around IPv6 addresses. */
export interface TcpSegment {
  readonly t: number;
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** Bytes of payload that crossed. */
  readonly length: number;
  /** Those of them that the capture kept. */
  readonly payload: Uint8Array;
}

const TCP = 6;
const ETHERNET_VLAN = new Set([0x8100, 0x88a8]);
const EXTENSIONS = new Set([0, 43, 60]);

/** The TCP segment in a packet; undefined for anything else, `unreadable` for TCP in a fragment or behind a header that was cut off. */
export function tcpSegmentOf(packet: CapturedPacket): TcpSegment | 'unreadable' | undefined {
  const at = networkOffset(packet);
  if (at === undefined) return undefined;
  const { data } = packet;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const version = at < data.length ? view.getUint8(at) >> 4 : 0;
  const ip = version === 4 ? ipv4(view, at) : version === 6 ? ipv6(view, at) : undefined;
  if (ip === undefined || ip === 'unreadable') return ip;
  // Offloading hands packets over with a length of zero where it does not fit.
  const end = ip.end > at ? ip.end : packet.length;
  if (ip.payload + 20 > data.length) return 'unreadable';
  const start = ip.payload + (view.getUint8(ip.payload + 12) >> 4) * 4;
  const flags = view.getUint8(ip.payload + 13);
  const length = Math.max(0, end - start);
  return {
    t: packet.t,
    from: endpoint(ip.source, view.getUint16(ip.payload)),
    to: endpoint(ip.destination, view.getUint16(ip.payload + 2)),
    sequence: view.getUint32(ip.payload + 4),
    syn: (flags & 2) !== 0,
    ack: (flags & 16) !== 0,
    fin: (flags & 1) !== 0,
    rst: (flags & 4) !== 0,
    length,
    payload: data.subarray(start, Math.min(data.length, start + length)),
  };
}

interface IpHeader {
  readonly source: string;
  readonly destination: string;
  readonly payload: number;
  /** Offset behind the packet; not above its beginning when the header does not say. */
  readonly end: number;
}

/** Where the IP header begins; undefined for other protocols and kinds of link that are not known. */
function networkOffset({ link, data }: CapturedPacket): number | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const type = (at: number): number => (at + 2 <= data.length ? view.getUint16(at) : 0);
  const isIp = (code: number): boolean => code === 0x0800 || code === 0x86dd;
  switch (link) {
    case 1: {
      let at = 12;
      while (ETHERNET_VLAN.has(type(at))) at += 4;
      return isIp(type(at)) ? at + 2 : undefined;
    }
    case 0:
    case 108:
      return 4;
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return 0;
    case 113:
      return isIp(type(14)) ? 16 : undefined;
    case 276:
      return isIp(type(0)) ? 20 : undefined;
    default:
      return undefined;
  }
}

function ipv4(view: DataView, at: number): IpHeader | 'unreadable' | undefined {
  if (at + 20 > view.byteLength) return 'unreadable';
  if (view.getUint8(at + 9) !== TCP) return undefined;
  if ((view.getUint16(at + 6) & 0x3fff) !== 0) return 'unreadable';
  const address = (from: number): string => [0, 1, 2, 3].map((n) => view.getUint8(from + n)).join('.');
  const total = view.getUint16(at + 2);
  return {
    source: address(at + 12),
    destination: address(at + 16),
    payload: at + (view.getUint8(at) & 15) * 4,
    end: total === 0 ? 0 : at + total,
  };
}

function ipv6(view: DataView, at: number): IpHeader | 'unreadable' | undefined {
  if (at + 40 > view.byteLength) return 'unreadable';
  let next = view.getUint8(at + 6);
  let payload = at + 40;
  while (EXTENSIONS.has(next)) {
    if (payload + 8 > view.byteLength) return 'unreadable';
    next = view.getUint8(payload);
    payload += 8 + view.getUint8(payload + 1) * 8;
  }
  if (next === 44) return 'unreadable';
  if (next !== TCP) return undefined;
  const address = (from: number): string => ipv6Text(Array.from({ length: 8 }, (_, n) => view.getUint16(from + 2 * n)));
  const length = view.getUint16(at + 4);
  return {
    source: address(at + 8),
    destination: address(at + 24),
    payload,
    end: length === 0 ? 0 : at + 40 + length,
  };
}

/** RFC 5952: the longest run of zeros is left out; an IPv4 address that was mapped is written as Node writes it. */
function ipv6Text(groups: readonly number[]): string {
  const [, , , , , mapped = 0, high = 0, low = 0] = groups;
  if (mapped === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return `::ffff:${[high >> 8, high & 255, low >> 8, low & 255].join('.')}`;
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  if (longest === undefined) return text;
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length + 1)}`;
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
