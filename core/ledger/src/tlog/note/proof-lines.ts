import { fromUtf8 } from '@ringfence/base';
import { hashToBase64, parseHash, type MerkleHash } from '../tree/merkle-hash.ts';
import { MOST_NOTE_BYTES } from './signed-note.ts';

/** Most hashes of a proof in a request or a file (C2SP tlog-witness). */
export const MOST_PROOF_HASHES = 63;

/** The lines of a proof's hashes, in base64, each ending with a newline. */
export function formatProofLines(proof: readonly MerkleHash[]): string {
  return proof.map((hash) => `${hashToBase64(hash)}\n`).join('');
}

/** The hashes of a proof, one a line in base64; undefined for more than 63 or anything else. */
export function parseProofLines(lines: readonly string[]): MerkleHash[] | undefined {
  if (lines.length > MOST_PROOF_HASHES) return undefined;
  const proof: MerkleHash[] = [];
  for (const line of lines) {
    const hash = parseHash(line);
    if (hash === undefined) return undefined;
    proof.push(hash);
  }
  return proof;
}

/** What stands before a note, as lines, and the note, from the bytes of both with an empty line between; undefined when they are none. */
export function splitBeforeNote(bytes: Uint8Array): { lines: string[]; note: string } | undefined {
  const text = textOf(bytes);
  const end = text?.indexOf('\n\n') ?? -1;
  if (text === undefined || end < 0 || end + 2 === text.length) return undefined;
  // More than any request or file has; the rest would be refused anyway.
  return { lines: text.slice(0, end).split('\n', MOST_PROOF_HASHES + 4), note: text.slice(end + 2) };
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > 2 * MOST_NOTE_BYTES) return undefined;
  try {
    return fromUtf8(bytes);
  } catch {
    return undefined;
  }
}
