// A TCP connection as tcpdump would have written it, in every format that is read.

/** One segment between `10.0.0.2:4000` and `10.0.0.1:443`. */
export interface SampleSegment {
  readonly out: boolean;
  readonly sequence: number;
  /** SYN 2, FIN 1, RST 4, ACK 16. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** The Ethernet frame of a segment. */
export function ethernet({ out, sequence, flags, payload }: SampleSegment): Buffer {
  const frame = Buffer.alloc(14 + 20 + 20 + payload.length);
  frame.writeUInt16BE(0x0800, 12);
  frame.writeUInt8(0x45, 14);
  frame.writeUInt16BE(40 + payload.length, 16);
  frame.writeUInt8(6, 23);
  frame.set(out ? [10, 0, 0, 2, 10, 0, 0, 1] : [10, 0, 0, 1, 10, 0, 0, 2], 26);
  frame.writeUInt16BE(out ? 4_000 : 443, 34);
  frame.writeUInt16BE(out ? 443 : 4_000, 36);
  frame.writeUInt32BE(sequence >>> 0, 38);
  frame.writeUInt8(0x50, 46);
  frame.writeUInt8(flags, 47);
  frame.set(payload, 54);
  return frame;
}

/** Writes whole numbers of either byte order. */
function writer(little: boolean) {
  const parts: Buffer[] = [];
  const u32 = (value: number): void => {
    const part = Buffer.alloc(4);
    if (little) part.writeUInt32LE(value >>> 0);
    else part.writeUInt32BE(value >>> 0);
    parts.push(part);
  };
  const u16 = (value: number): void => {
    const part = Buffer.alloc(2);
    if (little) part.writeUInt16LE(value);
    else part.writeUInt16BE(value);
    parts.push(part);
  };
  return { parts, u16, u32 };
}

/** A pcap file; `t` of packet n is `1_800_000_000_000 + n` milliseconds. */
export function pcapOf(frames: readonly Buffer[], { little = true, nano = false } = {}): Buffer {
  const { parts, u16, u32 } = writer(little);
  u32(nano ? 0xa1b23c4d : 0xa1b2c3d4);
  u16(2);
  u16(4);
  for (const value of [0, 0, 262_144, 1]) u32(value);
  frames.forEach((frame, n) => {
    for (const value of [1_800_000_000, n * (nano ? 1e6 : 1e3), frame.length, frame.length]) u32(value);
    parts.push(frame);
  });
  return Buffer.concat(parts);
}

/** The same as pcapng, with microseconds or, by an option, nanoseconds. */
export function pcapngOf(frames: readonly Buffer[], { little = true, nano = false } = {}): Buffer {
  const { parts, u16, u32 } = writer(little);
  for (const value of [0x0a0d0d0a, 28, 0x1a2b3c4d]) u32(value);
  u16(1);
  u16(0);
  for (const value of [0xffffffff, 0xffffffff, 28]) u32(value);
  for (const value of [1, nano ? 32 : 20]) u32(value);
  u16(1);
  u16(0);
  u32(0);
  if (nano) {
    u16(9);
    u16(1);
    parts.push(Buffer.from([9, 0, 0, 0]));
    u32(0);
  }
  u32(nano ? 32 : 20);
  frames.forEach((frame, n) => {
    const padding = Buffer.alloc((4 - (frame.length % 4)) % 4);
    const length = 32 + frame.length + padding.length;
    const units = (1_800_000_000_000n + BigInt(n)) * (nano ? 1_000_000n : 1_000n);
    for (const value of [6, length, 0]) u32(value);
    u32(Number(units >> 32n));
    u32(Number(units & 0xffffffffn));
    u32(frame.length);
    u32(frame.length);
    parts.push(frame, padding);
    u32(length);
  });
  return Buffer.concat(parts);
}
