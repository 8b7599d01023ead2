import type { TransactionOptions } from '@ringfence/store';
import type { CustodianStore, Tx } from './open-store.ts';

/** Says in a transaction whether it may go on: throws when it may not. */
export type TermCheck = (tx: Tx, options: TransactionOptions | undefined) => Promise<void>;

/** The store, with every transaction checked first. */
export function termedStore(store: CustodianStore, check: TermCheck): CustodianStore {
  const checked: CustodianStore = {
    withOrg: (org, run, options) =>
      store.withOrg(
        org,
        async (tx) => {
          await check(tx, options);
          return run(tx);
        },
        options,
      ),
    withSystem: (query, run, options) =>
      store.withSystem(
        query,
        async (tx) => {
          await check(tx, options);
          return run(tx);
        },
        options,
      ),
    listen: (channel, onWake, options) => store.listen(channel, onWake, options),
    notify: (tx, channel, payload) => store.notify(tx, channel, payload),
    ping: () => store.ping(),
    counts: () => store.counts(),
    facts: store.facts,
    close: () => store.close(),
    queryOrg: (org, build, options) =>
      checked.withOrg(org, async (tx) => (await tx.executeQuery(build(tx))).rows, options),
    querySystem: (query, build, options) =>
      checked.withSystem(query, async (tx) => (await tx.executeQuery(build(tx))).rows, options),
    locked: (tx) => store.locked(tx),
    atCommit: (tx, query) => store.atCommit(tx, query),
  };
  return checked;
}
