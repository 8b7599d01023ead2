import { isId, newId, type DeviceId, type MemberId } from '@ringfence/base';
import { LockDesk, targetColumns, type LockNote, type NotedOfficer } from '@ringfence/store/locks';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { markAgents } from './mark-agents.ts';
import { lockContext } from './officers.ts';
import { watchLocks, type Desk, type Locks } from './watch-locks.ts';

/** What changes of locks work with. */
export type LockParts = Pick<ControlPlaneContext, 'changes' | 'clock' | 'log' | 'record' | 'rng' | 'store'>;

/** What this replica knows of locks, and how officers change them. */
export function openLocks(parts: LockParts): { readonly locks: Locks; readonly lockDesk: Desk } {
  const { store, changes, clock, log, rng } = parts;
  const lockDesk: Desk = new LockDesk<Tx>({
    clock,
    log,
    newId: () => newId('lock', rng),
    run: (org, change) => changes.run(org, change),
    counting: (tx, _, now) => lockContext(tx, now),
    note: (tx, note) => noteLock(parts, tx, note),
    look: () => locks.look(),
  });
  const locks = watchLocks(store, { clock, log, onHeard: (held) => lockDesk.tend(held) });
  return { locks, lockDesk };
}

/** Writes down what became of a lock, marks the agents that it names, and wakes whoever watches. */
export async function noteLock(
  context: Pick<LockParts, 'changes' | 'clock' | 'record'>,
  tx: Tx,
  note: LockNote,
): Promise<void> {
  const { id, org, target, source, until } = note.lock;
  const asker = note.officer === undefined ? {} : { asker: askerOf(note.officer) };
  if (note.type === 'set') {
    const named = { kind: target.kind, target: targetColumns(target).target };
    await context.record(tx, org, { type: 'lock-set', lock: id, ...named, source, until, ...asker });
  } else if (note.type === 'ended')
    await context.record(tx, org, { type: 'lock-ended', lock: id, by: note.by, ...asker });
  else await context.record(tx, org, { type: 'lock-confirmed', lock: id, ...asker });
  await markAgents(context, tx, org);
  await context.changes.wake(tx, 'lock');
}

/** In a browser the member stands in the place of a device. */
function askerOf({ device, member }: NotedOfficer): { device: DeviceId } | { member: MemberId } {
  return isId('device', device) ? { device } : { member };
}
