import type { LockWatch } from '@ringfence/policy/locks';
import type { LockDesk, StoredLock } from '@ringfence/store/locks';
import type { Tx } from '../store/open-store.ts';

/** What the custodian knows of locks. */
export type Locks = LockWatch<StoredLock>;
/** How officers set, confirm and lift locks at the custodian. */
export type Desk = LockDesk<Tx>;
