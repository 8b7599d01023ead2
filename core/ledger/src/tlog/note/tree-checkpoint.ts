import { utf8 } from '@ringfence/base';
import type { TreeHead } from '../tree/consistency-proof.ts';
import { parseSize } from '../tree/decimal-size.ts';
import { EMPTY_ROOT, hashToBase64, parseHash } from '../tree/merkle-hash.ts';
import type { NoteSigner } from './cosignature.ts';
import { openNote, type NoteFault, type VerifiedSignature } from './open-note.ts';
import { formatNote } from './signed-note.ts';
import { noteKeyId, type VerifierKey } from './verifier-key.ts';

/** A log's statement of how many entries it has and what they hash to (C2SP tlog-checkpoint). */
export interface TreeCheckpoint extends TreeHead {
  /** The identity of the log. */
  readonly origin: string;
  /** Further lines, which nobody audits; our logs write none. */
  readonly extensions: readonly string[];
}

/** A checkpoint that the log signed, the note that carries it, and whose signatures on it were checked. */
export interface SignedCheckpoint {
  readonly checkpoint: TreeCheckpoint;
  /** The text that was signed. */
  readonly text: string;
  readonly verified: readonly VerifiedSignature[];
}

/** Why a checkpoint was refused. */
export type CheckpointFault = NoteFault | 'other-origin';

/** The text of a checkpoint's note. */
export function formatCheckpoint({ origin, size, root, extensions }: TreeCheckpoint): string {
  return [origin, size, hashToBase64(root), ...extensions].map((line) => `${line}\n`).join('');
}

/** The checkpoint that a note's text spells; undefined for any other text, and for an empty tree with another root. */
export function parseCheckpoint(text: string): TreeCheckpoint | undefined {
  if (!text.endsWith('\n')) return undefined;
  const [origin, digits, base64, ...extensions] = text.slice(0, -1).split('\n');
  if (origin === undefined || digits === undefined || base64 === undefined) return undefined;
  const size = parseSize(digits);
  const root = parseHash(base64);
  if (origin === '' || size === undefined || root === undefined || extensions.includes('')) return undefined;
  return size === 0 && root !== EMPTY_ROOT ? undefined : { origin, size, root, extensions };
}

/** The note of a checkpoint, signed by the log. The caller has made sure that it signs no other tree of this size, ever. */
export function signCheckpoint(checkpoint: TreeCheckpoint, { name, key }: NoteSigner): string {
  const text = formatCheckpoint(checkpoint);
  const keyId = noteKeyId(name, 'note', key.publicKey);
  return formatNote({ text, signatures: [{ name, keyId, signature: key.sign(utf8(text)) }] });
}

/** Whose checkpoints are taken: the log's origin and keys, and witnesses whose lines are checked as well. */
export interface CheckpointTrust {
  readonly origin: string;
  readonly logKeys: readonly VerifierKey[];
  readonly witnesses?: readonly VerifierKey[];
}

/** The checkpoint in a note, if the log signed it and no line of a known key is wrong. */
export function openCheckpoint(
  bytes: Uint8Array,
  { origin, logKeys, witnesses = [] }: CheckpointTrust,
): { ok: true; signed: SignedCheckpoint } | { ok: false; code: CheckpointFault } {
  const result = openNote(bytes, [...logKeys, ...witnesses]);
  if (!result.ok) return result;
  const { note, verified } = result.opened;
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint === undefined) return { ok: false, code: 'malformed' };
  if (checkpoint.origin !== origin) return { ok: false, code: 'other-origin' };
  if (!verified.some(({ key }) => logKeys.includes(key))) return { ok: false, code: 'unsigned' };
  return { ok: true, signed: { checkpoint, text: note.text, verified } };
}
