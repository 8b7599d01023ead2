import type { TreeHead } from '../tree/consistency-proof.ts';
import type { MerkleHash } from '../tree/merkle-hash.ts';
import type { TamperFault } from './log-verdict.ts';

/** Heads that somebody signed or vouches for, and what the entries at hand come to. */
export interface HistoryHeads {
  /** Of the log's own checkpoints. */
  readonly signed: readonly TreeHead[];
  /** Of one holder, who found them consistent with each other. */
  readonly held: readonly TreeHead[];
  /** The root of the first `size` entries at hand; undefined for more than there are. */
  readonly rootAt: (size: number) => MerkleHash | undefined;
}

/**
 * Between which two heads the entries at hand leave the signed history. `agreed` says that the log's largest head fits them:
 * a head that does not fit is then of a second history, of which the log's other heads say nothing, so that only a smaller
 * head of the same holder bounds it from below.
 */
export function historyFaults({ signed, held, rootAt }: HistoryHeads, agreed: boolean): TamperFault[] {
  if (!agreed) return firstMisfit('rewritten', [...signed, ...held], rootAt);
  const forks = signed.flatMap((head) => firstMisfit('forked', [head], rootAt));
  return [...forks, ...firstMisfit('forked', held, rootAt)];
}

function firstMisfit(
  code: TamperFault['code'],
  heads: readonly TreeHead[],
  rootAt: HistoryHeads['rootAt'],
): TamperFault[] {
  let fitting = 0;
  for (const { size, root } of heads.toSorted((a, b) => a.size - b.size)) {
    const found = rootAt(size);
    if (found === root) fitting = size;
    else if (found !== undefined) return [{ code, index: fitting, until: size }];
  }
  return [];
}
