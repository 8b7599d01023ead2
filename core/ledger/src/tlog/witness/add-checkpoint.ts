import { formatProofLines, parseProofLines, splitBeforeNote } from '../note/proof-lines.ts';
import { parseSize } from '../tree/decimal-size.ts';
import type { MerkleHash } from '../tree/merkle-hash.ts';

/** What a log asks of a witness (C2SP tlog-witness, add-checkpoint). */
export interface AddCheckpoint {
  /** The size that the log believes this witness to have cosigned last. */
  readonly oldSize: number;
  /** Consistency proof from that size, at most 63 hashes. */
  readonly proof: readonly MerkleHash[];
  /** The note of the new checkpoint, not yet checked. */
  readonly note: string;
}

/** The body of a request. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${formatProofLines(proof)}\n${note}`;
}

/** The request in `body`; undefined when it is none (answer 400). */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint | undefined {
  const parts = splitBeforeNote(body);
  if (parts === undefined) return undefined;
  const [old = '', ...lines] = parts.lines;
  const oldSize = old.startsWith('old ') ? parseSize(old.slice(4)) : undefined;
  const proof = parseProofLines(lines);
  return oldSize === undefined || proof === undefined ? undefined : { oldSize, proof, note: parts.note };
}
