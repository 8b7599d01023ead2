import { utf8 } from '@ringfence/base';
import { parseSize } from '../tree/decimal-size.ts';
import { verifyInclusion } from '../tree/inclusion-proof.ts';
import type { MerkleHash } from '../tree/merkle-hash.ts';
import { formatProofLines, parseProofLines, splitBeforeNote } from './proof-lines.ts';
import {
  openCheckpoint,
  type CheckpointFault,
  type CheckpointTrust,
  type SignedCheckpoint,
} from './tree-checkpoint.ts';

/** That an entry is in a log, checkable offline with the log's key alone (C2SP tlog-proof, version 1). */
export interface TlogProof {
  readonly index: number;
  readonly proof: readonly MerkleHash[];
  /** The note of the checkpoint, with its cosignatures. */
  readonly checkpoint: string;
  /** Bytes for the application; nothing vouches for them. */
  readonly extra?: Uint8Array;
}

const HEADER = 'c2sp.org/tlog-proof@v1';

/** The text of a proof, for a `.tlog-proof` file. */
export function formatTlogProof({ index, proof, checkpoint, extra }: TlogProof): string {
  const extraLine = extra === undefined ? '' : `extra ${Buffer.from(extra).toString('base64')}\n`;
  return `${HEADER}\n${extraLine}index ${index}\n${formatProofLines(proof)}\n${checkpoint}`;
}

/** The proof in `bytes`; undefined when they are none. */
export function parseTlogProof(bytes: Uint8Array): TlogProof | undefined {
  const parts = splitBeforeNote(bytes);
  if (parts?.lines.shift() !== HEADER) return undefined;
  const { lines, note: checkpoint } = parts;
  const extra = lines[0]?.startsWith('extra ') === true ? parseBase64(lines.shift()?.slice(6) ?? '') : null;
  const index = lines[0]?.startsWith('index ') === true ? parseSize(lines.shift()?.slice(6) ?? '') : undefined;
  const proof = parseProofLines(lines);
  if (extra === undefined || index === undefined || proof === undefined) return undefined;
  return { index, proof, checkpoint, ...(extra === null ? {} : { extra }) };
}

/** Whose proofs are believed, and how many of the witnesses must have cosigned. */
export interface ProofTrust extends CheckpointTrust {
  readonly quorum: number;
}

/** Why a proof was not believed. */
export type ProofFault = CheckpointFault | 'too-few-witnesses' | 'not-included';

/** Whether the entry whose leaf hash is `leaf` is in the log, by C2SP tlog-proof's four steps. */
export function verifyTlogProof(
  { index, proof, checkpoint }: TlogProof,
  leaf: MerkleHash,
  trust: ProofTrust,
): { ok: true; signed: SignedCheckpoint } | { ok: false; code: ProofFault } {
  const opened = openCheckpoint(utf8(checkpoint), trust);
  if (!opened.ok) return opened;
  const { signed } = opened;
  // Names may repeat in a configuration; keys that cosigned are counted, not lines.
  const cosigned = new Set(
    signed.verified.filter(({ key }) => trust.witnesses?.includes(key) === true).map(({ key }) => key.publicKey),
  );
  if (cosigned.size < trust.quorum) return { ok: false, code: 'too-few-witnesses' };
  const { size, root } = signed.checkpoint;
  return verifyInclusion({ index, size, leaf, root }, proof)
    ? { ok: true, signed }
    : { ok: false, code: 'not-included' };
}

function parseBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
