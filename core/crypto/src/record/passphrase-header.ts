import { cannotOpen } from '../crypto-error.ts';

/** Argon2id's cost (RFC 9106 §3.1): memory in KiB, passes over it, and lanes. */
export interface PassphraseCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** RFC 9106 §4, second recommendation. */
export const DEFAULT_COST: PassphraseCost = { memoryKiB: 65_536, passes: 3, lanes: 4 };

/** What stands before the sealed secret. */
export interface PassphraseHeader {
  readonly cost: PassphraseCost;
  readonly salt: Uint8Array;
}

/** Bytes of the header: `RFP1`, u32 memory, u32 passes, u8 lanes, three zero bytes, 16 bytes of salt. */
export const PASSPHRASE_HEADER_BYTES = 32;

const MAGIC = Buffer.from('RFP1', 'latin1');

/** Whether guessing stays expensive at this cost: at least 19 MiB and 2 passes, OWASP's minimum. */
export function isStrong(cost: PassphraseCost): boolean {
  return cost.memoryKiB >= 19_456 && cost.passes >= 2 && isAffordable(cost);
}

/** Whether an attacker's file would not exhaust this machine: at most 1 GiB, 16 passes, 16 lanes; and legal. */
export function isAffordable({ memoryKiB, passes, lanes }: PassphraseCost): boolean {
  const legal = lanes >= 1 && passes >= 1 && memoryKiB >= 8 * lanes;
  return legal && memoryKiB <= 2 ** 20 && passes <= 16 && lanes <= 16;
}

/** The header's 32 bytes. */
export function writeHeader({ cost, salt }: PassphraseHeader): Uint8Array {
  const bytes = Buffer.alloc(PASSPHRASE_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32BE(cost.memoryKiB, 4);
  bytes.writeUInt32BE(cost.passes, 8);
  bytes[12] = cost.lanes;
  bytes.set(salt, 16);
  return bytes;
}

/** Reads the header; throws CryptoError `cannot-open` for anything else. */
export function readHeader(bytes: Uint8Array): PassphraseHeader {
  const header = Buffer.from(bytes);
  if (header.length !== PASSPHRASE_HEADER_BYTES || MAGIC.compare(header, 0, 4) !== 0) throw cannotOpen();
  if (header.subarray(13, 16).some((byte) => byte !== 0)) throw cannotOpen();
  const cost = { memoryKiB: header.readUInt32BE(4), passes: header.readUInt32BE(8), lanes: header.readUInt8(12) };
  return { cost, salt: header.subarray(16) };
}

/** Whether `bytes`, of which the first 32 are enough, begin as what is sealed to a passphrase. */
export function beginsAsSealed(bytes: Uint8Array): boolean {
  try {
    readHeader(bytes.subarray(0, PASSPHRASE_HEADER_BYTES));
    return true;
  } catch {
    return false;
  }
}
