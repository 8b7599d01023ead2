import type { OrgId } from '@ringfence/base';
import type { CustodianStore, Tx } from '../store/open-store.ts';

/** Transactions that wrote into the ledger. */
const recorded = new WeakSet<Tx>();

/** Notes that a transaction wrote into the ledger. */
export function noteRecorded(tx: Tx): void {
  recorded.add(tx);
}

/** The store, telling after each commit that wrote into an organisation's ledger. */
export function tellingStore(store: CustodianStore, onRecorded: (org: OrgId) => void): CustodianStore {
  return {
    async withOrg(org, run, options) {
      let wrote = false;
      const result = await store.withOrg(
        org,
        async (tx) => {
          const done = await run(tx);
          wrote = recorded.has(tx);
          return done;
        },
        options,
      );
      if (wrote) onRecorded(org);
      return result;
    },
    withSystem: (query, run, options) => store.withSystem(query, run, options),
    queryOrg: (org, build, options) => store.queryOrg(org, build, options),
    querySystem: (query, build, options) => store.querySystem(query, build, options),
    locked: (tx) => store.locked(tx),
    atCommit: (tx, query) => store.atCommit(tx, query),
    listen: (channel, onWake, options) => store.listen(channel, onWake, options),
    notify: (tx, channel, payload) => store.notify(tx, channel, payload),
    ping: () => store.ping(),
    counts: () => store.counts(),
    facts: store.facts,
    close: () => store.close(),
  };
}
