import type { EpochMs, LockId } from '@ringfence/base';
import { PROPOSAL_LIFE_MS, USUAL_LONE_OFFICER, type Proposal } from '@ringfence/policy/assurance';
import type { OfficersNotice } from '@ringfence/protocol/api';
import type { StoredLock } from '@ringfence/store/locks';

const SOON_MS = 14 * 86_400_000;

/** A notice without its words. */
export interface Told<About> {
  readonly id: string;
  readonly at: EpochMs;
  readonly about: About;
}

/** Something that ends by itself. */
export interface Ending {
  readonly what: Extract<OfficersNotice, { kind: 'ends-soon' }>['what'];
  readonly madeAt: number;
  readonly endsAt: number;
}

/** What ends in the last two weeks before it does, though not in the first half of its time. */
export function endingSoon(ending: Ending, now: EpochMs): Told<OfficersNotice> | undefined {
  const { what, madeAt, endsAt } = ending;
  const at = Math.max(endsAt - SOON_MS, madeAt + (endsAt - madeAt) / 2);
  if (now < at || now >= endsAt) return undefined;
  const id = what.kind === 'account-key' ? what.key : what.invitation;
  return { id: `ends-${id}`, at: at as EpochMs, about: { kind: 'ends-soon', what, until: endsAt as EpochMs } };
}

/** What officers agreed to about a lock and is not carried out yet. */
export function waitingWishes({ id, term, confirming, lifting }: StoredLock): Told<OfficersNotice>[] {
  const wishes = { confirm: confirming, lift: lifting };
  return (['confirm', 'lift'] as const).flatMap((wants) => {
    const wish = wishes[wants];
    return wish === null ? [] : waitingWish(wish, { lock: id, term, wants });
  });
}

function waitingWish(
  { phase, lookedAt, waitedMs, expiresAt }: Proposal,
  { lock, term, wants }: { readonly lock: LockId; readonly term: number; readonly wants: 'confirm' | 'lift' },
): Told<OfficersNotice>[] {
  if (phase !== 'waiting' && phase !== 'collecting') return [];
  const left = USUAL_LONE_OFFICER.delayMs - waitedMs;
  const until = phase === 'waiting' ? ((lookedAt + left) as EpochMs) : null;
  return [
    {
      id: `waits-${lock}-${wants}-${term}`,
      // When it was proposed: `lookedAt` moves with each look, and `waitedMs` not always with it.
      at: (expiresAt - PROPOSAL_LIFE_MS) as EpochMs,
      about: { kind: 'waits', lock, wants, until },
    },
  ];
}
