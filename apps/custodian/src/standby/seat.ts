import { toHex } from '@ringfence/base';
import { startAdminServer, type AdminServer } from '@ringfence/client/admin-server';
import { CustodianError } from '../custodian-error.ts';
import type { StartParts } from '../start-parts.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';
import { termedStore } from '../store/termed-store.ts';
import { ActiveTerm } from './active-term.ts';

/** Why this process may act as the custodian, and for how long. */
export interface Seat {
  /** Every transaction of it ends when another process has taken over. */
  readonly store: CustodianStore;
  /** Throws when this process may write no more; asked before a record of a journal and before an object. */
  readonly mayWrite: () => void;
  /** Whoever holds a journal's folder is displaced. */
  readonly displaces: boolean;
  /** Lets another in; when everything that acts has stopped. */
  release(): Promise<void>;
}

/**
 * With `--standby`, resolves when this process holds the term of the database, however long that takes, and answers on the admin address
 * meanwhile. Without it at once: with a database of its own nobody else can come, and on a shared one every transaction looks whether
 * somebody did. Throws CustodianError `bad-config`.
 */
export async function takeSeat(parts: StartParts, store: CustodianStore, custodian: string): Promise<Seat> {
  if (parts.config.standby) return takeByTerm(parts, store, custodian);
  if (parts.config.databaseUrl === undefined) return aloneWith(store);
  const lost = parts.onLost ?? (() => {});
  if (!(await store.withSystem('hold-active-term', (tx) => isUnused(tx, true))))
    throw new CustodianError('bad-config', 'this database has been shared with a standby', {
      next: 'start every custodian of it with --standby, the only one too',
    });
  return aloneWith(
    termedStore(store, async (tx, options) => {
      if (await isUnused(tx, options?.readOnly === true)) return;
      lost('superseded');
      throw new CustodianError('unavailable', 'another process is the custodian now');
    }),
  );
}

function aloneWith(store: CustodianStore): Seat {
  return { store, mayWrite: () => {}, displaces: false, release: () => Promise.resolve() };
}

async function isUnused(tx: Tx, readOnly: boolean): Promise<boolean> {
  const row = tx.selectFrom('active_term').select('term').where('term', '=', 0);
  return (await (readOnly ? row : row.forKeyShare()).executeTakeFirst()) !== undefined;
}

async function takeByTerm(parts: StartParts, store: CustodianStore, custodian: string): Promise<Seat> {
  const { config, clock, rng, log, onLost = () => {}, onStandby, stop = new AbortController().signal } = parts;
  let admin: Promise<AdminServer> | undefined;
  const waiting = async (): Promise<void> => {
    admin = startAdminServer({
      ...config.admin,
      notReady: () => 'standby: another process is active',
      metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: '' }),
    });
    onStandby?.({ role: 'standby', custodian, admin: (await admin).url });
  };
  try {
    const holder = toHex(rng.bytes(16));
    const term = await ActiveTerm.take({ store, holder, clock, log, onLost }, waiting, stop);
    const { assertHeld: mayWrite } = term;
    return { store: termedStore(store, term.check), mayWrite, displaces: true, release: () => term.release() };
  } finally {
    // The active custodian opens its own, on the same address.
    await (await admin)?.close();
  }
}
