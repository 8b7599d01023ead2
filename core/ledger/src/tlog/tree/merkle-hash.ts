import { hash } from 'node:crypto';
import type { Brand } from '@ringfence/base';

/**
 * A SHA-256 value as a string of 32 characters U+0000-U+00FF, one a byte: `node:crypto` makes these several times faster
 * than byte arrays, they compare with `===`, and nobody can change one.
 */
export type MerkleHash = Brand<string, 'MerkleHash'>;

/** Bytes of a hash in tiles, proofs and checkpoints. */
export const HASH_BYTES = 32;

/** The longest entry that a bundle can hold, in bytes (C2SP tlog-tiles: a 16-bit length). */
export const MOST_ENTRY_BYTES = 65_535;

const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
const LEAF = Buffer.alloc(1 + MOST_ENTRY_BYTES);

/** The root of a tree without entries: SHA-256 of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: MerkleHash = sha256(Buffer.alloc(0));

/** SHA-256(0x00 ‖ entry) (RFC 6962 §2.1); throws `RangeError` above {@link MOST_ENTRY_BYTES}. */
export function leafHash(entry: Uint8Array): MerkleHash {
  LEAF.set(entry, 1);
  return sha256(LEAF.subarray(0, entry.length + 1));
}

/** SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1). */
export function nodeHash(left: MerkleHash, right: MerkleHash): MerkleHash {
  NODE.write(left, 1, HASH_BYTES, 'latin1');
  NODE.write(right, 1 + HASH_BYTES, HASH_BYTES, 'latin1');
  return sha256(NODE);
}

/** The hash at byte `offset` of a tile. */
export function hashAt(bytes: Buffer, offset: number): MerkleHash {
  return bytes.toString('latin1', offset, offset + HASH_BYTES) as MerkleHash;
}

/** Standard padded base64 of a hash, as checkpoints and proofs spell it. */
export function hashToBase64(value: MerkleHash): string {
  return Buffer.from(value, 'latin1').toString('base64');
}

/** The hash that canonical padded base64 spells; undefined for any other text. */
export function parseHash(text: string): MerkleHash | undefined {
  if (text.length !== 44) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === HASH_BYTES && bytes.toString('base64') === text ? hashAt(bytes, 0) : undefined;
}

/** The hash of 32 raw bytes; undefined for another length. */
export function hashFromBytes(bytes: Uint8Array): MerkleHash | undefined {
  return bytes.length === HASH_BYTES ? hashAt(Buffer.from(bytes), 0) : undefined;
}

/** The 32 raw bytes of a hash. */
export function hashToBytes(value: MerkleHash): Uint8Array {
  return Buffer.from(value, 'latin1');
}

function sha256(bytes: Uint8Array): MerkleHash {
  return hash('sha256', bytes, 'binary') as MerkleHash;
}
