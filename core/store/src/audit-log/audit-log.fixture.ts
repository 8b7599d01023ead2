// An organisation's ledger with its log, in a database of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs, newId, seededRng, silentLog, type OrgId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { NoteKey } from '@ringfence/crypto/note';
import { EMPTY_LEDGER, nextEntry, type LedgerHead } from '@ringfence/ledger';
import {
  claimedIndex,
  LogVerifier,
  parseExportRecord,
  writeExport,
  type LogVerdict,
  type StoredEvent,
  type TreeHead,
  type VerifierKey,
} from '@ringfence/ledger/tlog';
import { CompiledQuery } from 'kysely';
import pg from 'pg';
import { openDatabase } from '../database/open.ts';
import { orgTable } from '../database/org-table.ts';
import type { Store } from '../database/store.ts';
import { createTestDatabase } from '../database/test-database.fixture.ts';
import { logSigner, logVerifierKey, type LogIdentity } from './log-identity.ts';
import { LogSequencer, type SequencerParts } from './sequencer.ts';
import { ServedLog } from './served-log.ts';
import { AUDIT_LOG_TABLES } from './tables.ts';

const SCHEMA = 'rf_al';
const LEDGER = `
create table organisation (org text primary key, event_seq bigint not null default 0);
create table event (
  org text not null references organisation, seq bigint not null, at bigint not null, type text not null,
  body bytea not null, hash text not null, primary key (org, seq)
);
${orgTable('organisation', { app: ['select', 'insert', 'update'], system: ['select'] })}
${orgTable('event', { app: ['select', 'insert'] })}`;

const rng = seededRng('audit log');
/** Who keeps the logs of the tests. */
export const IDENTITY: LogIdentity = {
  keeper: { kind: 'control-plane', id: newId('controlPlane', rng) },
  key: NoteKey.generate(rng),
  epochOf: () => 1,
};

/** A ledger that grows, its log, and whoever bends the log. */
export class AuditDatabase {
  readonly org: OrgId = newId('org', rng);
  readonly store: Store<object>;
  readonly served: ServedLog;
  readonly #drop: () => Promise<void>;
  readonly #url: string;
  #ledger: LedgerHead = EMPTY_LEDGER;

  private constructor(store: Store<object>, url: string, drop: () => Promise<void>) {
    this.store = store;
    this.#url = url;
    this.#drop = drop;
    this.served = new ServedLog(store, IDENTITY);
  }

  static async open(): Promise<AuditDatabase> {
    const stateDir = mkdtempSync(join(tmpdir(), 'rf-audit-'));
    const database = await createTestDatabase(SCHEMA);
    const store = await openDatabase<object, never>({
      source: { url: database.url },
      schema: SCHEMA,
      migrations: [{ id: 1, name: 'ledger', sql: `${LEDGER}${AUDIT_LOG_TABLES}` }],
      systemQueries: [],
      stateDir,
      clock,
      log: silentLog,
    });
    const opened = new AuditDatabase(store, database.url, async () => {
      await store.close();
      await database.drop();
      rmSync(stateDir, { recursive: true });
    });
    await opened.#register();
    return opened;
  }

  /** Another organisation's log in the same database. */
  async another(): Promise<AuditDatabase> {
    const other = new AuditDatabase(this.store, this.#url, async () => {});
    await other.#register();
    return other;
  }

  async #register(): Promise<void> {
    const insert = CompiledQuery.raw('insert into organisation (org) values ($1)', [this.org]);
    await this.store.withOrg(this.org, (tx) => tx.executeQuery(insert));
  }

  /** The trust in this log, and nothing else. */
  get trust(): { origin: string; logKeys: VerifierKey[] } {
    const signer = logSigner(IDENTITY, this.org, 1);
    return { origin: signer.name, logKeys: [logVerifierKey(signer)] };
  }

  sequencer(more: Partial<SequencerParts> = {}): LogSequencer {
    return new LogSequencer({ store: this.store, identity: IDENTITY, fault: () => {}, ...more });
  }

  /** Commits so many events in one transaction; `audit` is what the entries say of persons. */
  async addEvents(count: number, audit: StoredEvent['audit'] = null): Promise<void> {
    const entries = Array.from({ length: count }, () => {
      const event = { type: 'thing-made', job: newId('job', rng), count: this.#ledger.seq };
      const entry = nextEntry(this.#ledger, {
        org: this.org,
        at: epochMs(1_700_000_000_000 + this.#ledger.seq),
        event,
      });
      this.#ledger = { seq: entry.seq, hash: entry.hash };
      return entry;
    });
    await this.store.withOrg(this.org, (tx) =>
      tx.executeQuery(
        CompiledQuery.raw(
          `insert into event (org, seq, at, type, body, hash, audit)
             select $1, seq, at, 'thing-made', body, hash, $6::jsonb from unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::text[]) as e (seq, at, body, hash)`,
          [
            this.org,
            entries.map(({ seq }) => seq),
            entries.map(({ at }) => at),
            entries.map(({ body }) => Buffer.from(body)),
            entries.map(({ hash }) => hash),
            audit === null ? null : JSON.stringify(audit),
          ],
        ),
      ),
    );
  }

  /** Runs SQL as whoever owns the database server, whom nothing stops; `MINE` in it are this organisation's rows. */
  async bend(...statements: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    try {
      for (const sql of [`set search_path to ${SCHEMA}`, ...statements])
        await client.query(sql.replaceAll('MINE', `org = '${this.org}'`));
    } finally {
      await client.end();
    }
  }

  /** Exports what is served now beside `kept` checkpoints and verifies it with keys alone. */
  async verify(kept: readonly string[] = [], held: readonly TreeHead[] = []): Promise<LogVerdict> {
    const head = await this.served.head(this.org);
    const verifier = new LogVerifier({ trust: this.trust, held, claimOf: claimedIndex });
    const log = {
      origin: this.trust.origin,
      size: head?.size ?? 0,
      checkpoints: [...(head === undefined ? [] : [head.note]), ...kept],
      read: (tile: Parameters<ServedLog['tile']>[1]) => this.served.tile(this.org, tile),
    };
    for await (const line of writeExport(log)) verifier.take(parseExportRecord(line.slice(0, -1)));
    return verifier.end();
  }

  close(): Promise<void> {
    return this.#drop();
  }
}
