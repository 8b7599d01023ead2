// The control plane's ledger and log on a real PostgreSQL: changes with their rows, the sequencer, signed heads.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newId, silentLog, systemRng, type OrgId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { NoteKey } from '@ringfence/crypto/note';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { removeEmbedded, startEmbedded } from '@ringfence/store';
import { LogSequencer, Sequencing, type LogIdentity } from '@ringfence/store/audit-log';
import { recordEvent } from '../../apps/control-plane/src/ledger/record-event.ts';
import { openStore, type ControlPlaneStore, type Tx } from '../../apps/control-plane/src/store/open-store.ts';
import { OrgChanges } from '../../apps/control-plane/src/store/org-changes.ts';
import { percentile } from '../measure.ts';

const EVENTS_A_TRANSACTION = 200;

/** What changes with receipts came to. */
export interface ChangeFigures {
  readonly changesPerS: number;
  /** From the commit of a change to the signed head that has it, in milliseconds. */
  readonly p99Ms: number;
}

/** Ledgers and logs of organisations in one database. */
export interface DurableLog {
  /** Entries a second from rows that are there to signed heads, in one log. */
  appends(events: number): Promise<number>;
  /** Changes by `writers` at once, each done when a signed head has it. */
  changes(writers: {
    readonly organisations: number;
    readonly each: number;
    readonly forMs: number;
  }): Promise<ChangeFigures>;
  stop(): Promise<void>;
}

/** Starts PostgreSQL below `root`. */
export async function startDurableLog(root: string): Promise<DurableLog> {
  const stateDir = join(root, 'database');
  mkdirSync(stateDir, { mode: 0o700, recursive: true });
  const database = await startEmbedded({ stateDir, log: silentLog, clock });
  const url = Buffer.from(database.connectionString().expose()).toString();
  const opened = await openStore({ stateDir: root, url, clock, log: silentLog });
  const parts = partsOf(opened.store);
  return {
    appends: (events) => measureAppends(parts, events),
    changes: (writers) => measureChanges(parts, writers),
    stop: async () => {
      await opened.close();
      await database.stop();
      await removeEmbedded({ stateDir, clock });
    },
  };
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(store: ControlPlaneStore) {
  const identity: LogIdentity = {
    keeper: { kind: 'control-plane', id: newId('controlPlane', systemRng) },
    key: NoteKey.generate(systemRng),
    epochOf: () => 1,
  };
  const sequencer = new LogSequencer({ store, identity, fault: () => {} });
  const changes = new OrgChanges(store, newId('site', systemRng));
  return { store, sequencer, changes, record: recordEvent(clock, store) };
}

async function measureAppends({ store, sequencer, changes, record }: Parts, events: number): Promise<number> {
  const org = await addOrganisation(store);
  for (let added = 0; added < events; added += EVENTS_A_TRANSACTION)
    await changes.run(org, async (tx) => {
      for (let at = 0; at < EVENTS_A_TRANSACTION; at += 1) await noteSomething(record, tx, org);
    });
  const since = clock.monotonic();
  let done = await sequencer.advance(org);
  while (done.kind === 'appended' && done.more) done = await sequencer.advance(org);
  return (events / (clock.monotonic() - since)) * 1_000;
}

async function measureChanges(
  { store, sequencer, changes, record }: Parts,
  { organisations, each, forMs }: Parameters<DurableLog['changes']>[0],
): Promise<ChangeFigures> {
  const orgs = await Promise.all(Array.from({ length: organisations }, () => addOrganisation(store)));
  const signed = new Heads();
  const sequencing = new Sequencing({
    sequencer,
    behind: () => Promise.resolve(orgs),
    leads: () => true,
    clock,
    log: silentLog,
  });
  sequencing.onHead((org, { size }) => signed.take(org, size));
  changes.onRecorded((org) => sequencing.wake(org));
  const waits: number[] = [];
  const since = clock.monotonic();
  const counts = new Map<OrgId, number>();
  const write = async (org: OrgId): Promise<void> => {
    while (clock.monotonic() - since < forMs) {
      await changes.run(org, async (tx) => {
        await tx
          .updateTable('organisation')
          .set((row) => ({ inventory: row('inventory', '+', 1) }))
          .where('org', '=', org)
          .execute();
        await noteSomething(record, tx, org);
      });
      const seq = (counts.get(org) ?? 0) + 1;
      counts.set(org, seq);
      const committed = clock.monotonic();
      await signed.reach(org, seq);
      waits.push(clock.monotonic() - committed);
    }
  };
  await Promise.all(orgs.flatMap((org) => Array.from({ length: each }, () => write(org))));
  const took = clock.monotonic() - since;
  await sequencing.close();
  return { changesPerS: (waits.length / took) * 1_000, p99Ms: percentile(waits, 0.99) };
}

/** Who waits for which size of a log. */
class Heads {
  readonly #sizes = new Map<OrgId, number>();
  readonly #waiting = new Map<OrgId, { readonly size: number; readonly resolve: () => void }[]>();

  take(org: OrgId, size: number): void {
    this.#sizes.set(org, size);
    const waiting = this.#waiting.get(org) ?? [];
    this.#waiting.set(
      org,
      waiting.filter((each) => each.size > size),
    );
    for (const each of waiting) if (each.size <= size) each.resolve();
  }

  reach(org: OrgId, size: number): Promise<void> {
    if ((this.#sizes.get(org) ?? 0) >= size) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(org, [...(this.#waiting.get(org) ?? []), { size, resolve }]);
    return promise;
  }
}

function noteSomething(record: Parts['record'], tx: Tx, org: OrgId): Promise<void> {
  return record(tx, org, { type: 'evidence-noted', evidence: sha256Hex(systemRng.bytes(32)), counts: true });
}

async function addOrganisation(store: ControlPlaneStore): Promise<OrgId> {
  const org = newId('org', systemRng);
  const enrolment_key = SigningKey.generate(systemRng).publicKey;
  const custodian = newId('custodian', systemRng);
  await store.withSystem('register-organisation', (tx) =>
    tx.insertInto('organisation').values({ org, custodian, enrolment_key, registered_at: clock.now() }).execute(),
  );
  return org;
}
