import {
  isId,
  newId,
  type AgentId,
  type DeviceId,
  type EpochMs,
  type LockId,
  type OrgId,
  type SiteId,
} from '@ringfence/base';
import type { LockTarget } from '@ringfence/policy/locks';
import {
  dropLock,
  lockRefused,
  readLocks,
  takeLock,
  wishRefused,
  type DecidedLock,
  type LockRefused,
  type LockSource,
  type LockWish,
  type StoredLock,
} from '@ringfence/store/locks';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Asker } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { noteLock } from './lock-desk.ts';
import { actorOf } from './officers.ts';

/** The locks that hold now, as they are stored. */
export function listLocks({ store }: Pick<ControlPlaneContext, 'store'>, org: OrgId): Promise<readonly StoredLock[]> {
  return store.withOrg(org, readLocks, { readOnly: true });
}

/** Sets an officer's lock. Throws ControlPlaneError `not-authorised`, `conflict`. */
export async function setOfficersLock(
  { lockDesk }: Pick<ControlPlaneContext, 'lockDesk'>,
  asker: Asker,
  target: LockTarget,
): Promise<StoredLock> {
  const set = await lockDesk.set(asker.org, (officers) => actorOf(officers, asker), target);
  if (!set.allow) throw refusal(lockRefused(set.reasons));
  return set.lock;
}

/** An officer agrees that a lock is confirmed or lifted. Throws ControlPlaneError `not-found`, `not-authorised`, `conflict`. */
export async function agreeOnLock(
  { lockDesk }: Pick<ControlPlaneContext, 'lockDesk'>,
  asker: Asker,
  wish: { readonly lock: LockId; readonly wants: LockWish; readonly term: number },
): Promise<DecidedLock> {
  const decided = await lockDesk.agree(asker.org, (officers) => actorOf(officers, asker), wish);
  if (!decided.allow) throw refusal(wishRefused(decided.reasons));
  return decided;
}

/** A lock, or the end of one, that no officer here asked for. */
export interface LockWord {
  readonly target: AgentId | DeviceId | SiteId;
  readonly locked: boolean;
  readonly until: EpochMs | null;
  readonly source: Exclude<LockSource, 'officer'>;
}

/** Takes a word on a lock; it replaces the one before on the same target. */
export async function takeWord(
  context: Pick<ControlPlaneContext, 'changes' | 'clock' | 'record' | 'rng'>,
  tx: Tx,
  org: OrgId,
  { target: id, locked, until, source }: LockWord,
): Promise<void> {
  const now = context.clock.now();
  const target = targetOf(id);
  // Copies of an agent are found again and again; that is one lock.
  const dropped = locked && source === 'fork' ? undefined : await dropLock(tx, { target, source, now });
  if (dropped !== undefined) await noteLock(context, tx, { type: 'ended', lock: dropped, by: 'custodian' });
  if (!locked) return;
  const lock = await takeLock(tx, { id: newId('lock', context.rng), org, target, source, until, now });
  if (lock !== undefined) await noteLock(context, tx, { type: 'set', lock });
}

function refusal({ code, message, next }: LockRefused): ControlPlaneError {
  return new ControlPlaneError(code, message, { next });
}

/** Ids say by their prefixes what they name. */
function targetOf(id: AgentId | DeviceId | SiteId): LockTarget {
  if (isId('agent', id)) return { kind: 'agent', agent: id };
  if (isId('device', id)) return { kind: 'device', device: id };
  return { kind: 'site', site: id as SiteId };
}
