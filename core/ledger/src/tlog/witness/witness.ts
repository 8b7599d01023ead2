import { utf8 } from '@ringfence/base';
import { openCheckpoint, type CheckpointTrust, type SignedCheckpoint } from '../note/tree-checkpoint.ts';
import { committedRoot, verifyConsistency, type TreeHead } from '../tree/consistency-proof.ts';
import type { AddCheckpoint } from './add-checkpoint.ts';
import type { Misbehaviour } from './misbehaviour.ts';

/** What a witness remembers of one log: the largest checkpoint that it cosigned, undefined before the first. */
export interface WitnessedLog {
  readonly head: TreeHead;
  /** The whole note, so that the log's signature can be shown to others. */
  readonly note: string;
}

/** Why a checkpoint is not cosigned although nothing speaks against the log. */
export type WitnessRefusal =
  | 'malformed'
  | 'unknown-log'
  | 'unsigned'
  | 'bad-signature'
  | 'old-size-too-large'
  | 'other-old-size'
  | 'bad-proof'
  | 'stale';

/** What a witness does with a checkpoint. */
export type WitnessVerdict =
  /** Store `log` first, durably and only if what is stored is still what the verdict was made from; then cosign `signed.text`. */
  | { readonly do: 'cosign'; readonly log: WitnessedLog; readonly signed: SignedCheckpoint }
  | { readonly do: 'refuse'; readonly code: WitnessRefusal; readonly witnessedSize: number }
  /** Keep the evidence for ever, tell the organisation, cosign nothing of this log until an officer has decided. */
  | { readonly do: 'accuse'; readonly evidence: Misbehaviour };

const EMPTY = { size: 0 };

/**
 * Judges a checkpoint against the last one witnessed: cosign, refuse, or accuse. Brought by the
 * log itself, over its own authenticated connection just now, an old checkpoint is a roll-back; one that anybody else brings is stale.
 */
export function judgeCheckpoint(
  witnessed: WitnessedLog | undefined,
  request: AddCheckpoint,
  trust: CheckpointTrust,
  broughtBy: 'log' | 'anybody',
): WitnessVerdict {
  const witnessedSize = (witnessed?.head ?? EMPTY).size;
  const refuse = (code: WitnessRefusal): WitnessVerdict => ({ do: 'refuse', code, witnessedSize });
  const opened = openCheckpoint(utf8(request.note), trust);
  if (!opened.ok) return refuse(opened.code === 'other-origin' ? 'unknown-log' : opened.code);
  const { checkpoint } = opened.signed;
  const accused = witnessed && contradiction(witnessed, request, checkpoint, broughtBy);
  if (accused !== undefined) return { do: 'accuse', evidence: accused };
  if (checkpoint.size < witnessedSize) return refuse('stale');
  if (request.oldSize > checkpoint.size) return refuse('old-size-too-large');
  if (request.oldSize !== witnessedSize) return refuse('other-old-size');
  if (!continues(witnessed?.head, checkpoint, request)) return refuse('bad-proof');
  const head: TreeHead = { size: checkpoint.size, root: checkpoint.root };
  return { do: 'cosign', log: { head, note: request.note }, signed: opened.signed };
}

/** The misbehaviour that a checkpoint with the log's own signature shows beside the one witnessed. */
function contradiction(
  { head, note: held }: WitnessedLog,
  { note: offered, oldSize, proof }: AddCheckpoint,
  checkpoint: TreeHead,
  broughtBy: 'log' | 'anybody',
): Misbehaviour | undefined {
  if (checkpoint.size === head.size)
    return checkpoint.root === head.root ? undefined : { kind: 'forked', grade: 'proven', held, offered };
  if (checkpoint.size < head.size)
    return broughtBy === 'log' ? { kind: 'rolled-back', grade: 'observed', held, offered } : undefined;
  const committed = oldSize === head.size ? committedRoot(head.size, checkpoint, proof) : undefined;
  if (committed === undefined || committed === head.root) return undefined;
  return { kind: 'rewritten', grade: 'proven', held, offered, committed, proof };
}

function continues(head: TreeHead | undefined, checkpoint: TreeHead, { proof }: AddCheckpoint): boolean {
  return head === undefined || head.size === 0 ? proof.length === 0 : verifyConsistency(head, checkpoint, proof);
}
