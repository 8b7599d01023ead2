import { utf8 } from '@ringfence/base';
import { openCheckpoint, type CheckpointTrust } from '../note/tree-checkpoint.ts';
import { verifyConsistency, type TreeHead } from '../tree/consistency-proof.ts';
import type { MerkleHash } from '../tree/merkle-hash.ts';
import type { TreeView } from '../tree/tree-view.ts';

/**
 * That a log broke its word, in its own signatures. `proven`: anybody with the log's key can check it. `observed`: true for
 * who saw it arrive and no longer; others have to believe them.
 */
export type Misbehaviour =
  /** Two different trees of one size. */
  | { readonly kind: 'forked'; readonly grade: 'proven'; readonly held: string; readonly offered: string }
  /** The later tree begins with other entries than the earlier one: `committed` is its root at the earlier one's size. */
  | {
      readonly kind: 'rewritten';
      readonly grade: 'proven';
      readonly held: string;
      readonly offered: string;
      readonly committed: MerkleHash;
      readonly proof: readonly MerkleHash[];
    }
  /** The log itself, asked now, shows a smaller tree than one that it signed before. */
  | { readonly kind: 'rolled-back'; readonly grade: 'observed'; readonly held: string; readonly offered: string };

/** Whether a third party may take proven misbehaviour as such: both notes are the log's, and they contradict each other. Never throws. */
export function isConvicted(evidence: Misbehaviour, trust: CheckpointTrust): boolean {
  const held = openCheckpoint(utf8(evidence.held), trust);
  const offered = openCheckpoint(utf8(evidence.offered), trust);
  if (!held.ok || !offered.ok) return false;
  const [before, after] = [held.signed.checkpoint, offered.signed.checkpoint];
  switch (evidence.kind) {
    case 'forked':
      return before.size === after.size && before.root !== after.root;
    case 'rewritten':
      return (
        before.size < after.size &&
        evidence.committed !== before.root &&
        verifyConsistency({ size: before.size, root: evidence.committed }, after, evidence.proof)
      );
    case 'rolled-back':
      return false;
  }
}

/**
 * The evidence that tiles of the offered tree give where its beginning is not the held tree; undefined where it is. This
 * also serves at sizes that are a power of two, where a consistency proof by itself does not say what the log committed to.
 * `view` is the offered tree, whose root the caller has compared with the offered checkpoint's.
 */
export function rewrittenEvidence(
  held: { readonly note: string; readonly head: TreeHead },
  offered: string,
  view: TreeView,
): Extract<Misbehaviour, { kind: 'rewritten' }> | undefined {
  const committed = view.rootAt(held.head.size);
  if (committed === held.head.root) return undefined;
  const proof = view.proveConsistency(held.head.size);
  return { kind: 'rewritten', grade: 'proven', held: held.note, offered, committed, proof };
}
