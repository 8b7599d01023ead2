import type { Clock, Log } from '@ringfence/base';
import { LockWatch, type LocksByOrg } from '@ringfence/policy/locks';
import { byOrganisation, notLifted, storedLock, type LockDesk, type StoredLock } from '@ringfence/store/locks';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';

/** What one replica knows of locks. */
export type Locks = LockWatch<StoredLock>;

/** How officers set, confirm and lift locks at the control plane. */
export type Desk = LockDesk<Tx>;

/** A watch over the locks of all organisations; `onHeard` gets them after each read. */
export function watchLocks(
  store: ControlPlaneStore,
  parts: { readonly clock: Clock; readonly log: Log; readonly onHeard: (locks: LocksByOrg<StoredLock>) => void },
): Locks {
  return new LockWatch<StoredLock>({
    ...parts,
    read: async () => {
      const rows = await store.querySystem('held-locks', notLifted, { readOnly: true });
      return byOrganisation(rows.map(storedLock));
    },
  });
}
