import { LedgerError } from '../ledger-error.ts';

/** One packet of a capture. */
export interface CapturedPacket {
  /** Milliseconds since 1970. */
  readonly t: number;
  /** LINKTYPE number (tcpdump.org/linktypes.html). */
  readonly link: number;
  readonly data: Uint8Array;
  /** Bytes that the packet had before the capture cut it off. */
  readonly length: number;
}

const PCAP = { micro: 0xa1b2c3d4, nano: 0xa1b23c4d } as const;
const SECTION = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const LONGEST_PACKET = 1 << 24;

/**
 * The packets of a pcap file (draft-ietf-opsawg-pcap) or a pcapng file (draft-ietf-opsawg-pcapng), of either byte order. A packet that the end of
 * the file cuts off is left out: the capturing process was still writing. Throws LedgerError `bad-capture`.
 */
export function* capturedPackets(file: Uint8Array): Generator<CapturedPacket> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 24) throw badCapture();
  if (view.getUint32(0) === SECTION) return yield* pcapngPackets(view);
  for (const little of [false, true]) {
    const magic = view.getUint32(0, little);
    if (magic === PCAP.micro || magic === PCAP.nano)
      return yield* pcapPackets(view, little, magic === PCAP.nano ? 1e6 : 1e3);
  }
  throw badCapture();
}

function* pcapPackets(view: DataView, little: boolean, unitsPerMs: number): Generator<CapturedPacket> {
  const link = view.getUint32(20, little) & 0xffff;
  for (let at = 24; at + 16 <= view.byteLength;) {
    const t = view.getUint32(at, little) * 1000 + Math.floor(view.getUint32(at + 4, little) / unitsPerMs);
    const kept = view.getUint32(at + 8, little);
    if (kept > LONGEST_PACKET) throw badCapture();
    if (at + 16 + kept > view.byteLength) return;
    yield { t, link, data: bytesOf(view, at + 16, kept), length: view.getUint32(at + 12, little) };
    at += 16 + kept;
  }
}

interface Interface {
  readonly link: number;
  readonly unitsPerSecond: bigint;
  readonly snap: number;
}

function* pcapngPackets(view: DataView): Generator<CapturedPacket> {
  let little = false;
  let interfaces: Interface[] = [];
  for (let at = 0; at + 12 <= view.byteLength;) {
    const isSection = view.getUint32(at) === SECTION;
    if (isSection) {
      little = view.getUint32(at + 8, true) === BYTE_ORDER;
      if (!little && view.getUint32(at + 8) !== BYTE_ORDER) throw badCapture();
      interfaces = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0) throw badCapture();
    if (at + length > view.byteLength) return;
    const block = new DataView(view.buffer, view.byteOffset + at + 8, length - 12);
    if (!isSection && type === 1) interfaces.push(interfaceOf(block, little));
    const packet = isSection ? undefined : packetOf(type, block, { little, interfaces });
    if (packet !== undefined) yield packet;
    at += length;
  }
}

function interfaceOf(block: DataView, little: boolean): Interface {
  if (block.byteLength < 8) throw badCapture();
  let unitsPerSecond = 1_000_000n;
  for (let at = 8; at + 4 <= block.byteLength;) {
    const code = block.getUint16(at, little);
    const size = block.getUint16(at + 2, little);
    if (code === 0) break;
    if (code === 9 && size >= 1 && at + 4 < block.byteLength) unitsPerSecond = unitsOf(block.getUint8(at + 4));
    at += 4 + Math.ceil(size / 4) * 4;
  }
  return { link: block.getUint16(0, little), snap: block.getUint32(4, little), unitsPerSecond };
}

/** if_tsresol: a power of ten, or of two when the highest bit is set. */
function unitsOf(resolution: number): bigint {
  const exponent = BigInt(Math.min(resolution & 0x7f, 63));
  return resolution & 0x80 ? 2n ** exponent : 10n ** exponent;
}

function packetOf(
  type: number,
  block: DataView,
  { little, interfaces }: { little: boolean; interfaces: readonly Interface[] },
): CapturedPacket | undefined {
  if (type === 3) {
    const [known] = interfaces;
    if (known === undefined || block.byteLength < 4) throw badCapture();
    const length = block.getUint32(0, little);
    const kept = Math.min(length, known.snap === 0 ? length : known.snap, block.byteLength - 4);
    return { t: 0, link: known.link, data: bytesOf(block, 4, kept), length };
  }
  if (type !== 6) return undefined;
  if (block.byteLength < 20) throw badCapture();
  const known = interfaces[block.getUint32(0, little)];
  const kept = block.getUint32(12, little);
  if (known === undefined || kept > block.byteLength - 20) throw badCapture();
  const units = (BigInt(block.getUint32(4, little)) << 32n) | BigInt(block.getUint32(8, little));
  const t = Number((units * 1_000n) / known.unitsPerSecond);
  return { t, link: known.link, data: bytesOf(block, 20, kept), length: block.getUint32(16, little) };
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

function badCapture(): LedgerError {
  return new LedgerError('bad-capture', 'this is no pcap or pcapng file', {
    next: 'write it with tcpdump -w FILE, -s 0 for whole packets',
  });
}
