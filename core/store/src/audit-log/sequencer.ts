import type { OrgId } from '@ringfence/base';
import {
  appendEntries,
  edgeFromTiles,
  edgeRoot,
  encodeBundle,
  entryBytes,
  eventOfLedger,
  hashToBytes,
  signCheckpoint,
  TILE_WIDTH,
  tileRoot,
  type LogEdge,
  type MerkleHash,
  type WrittenTile,
} from '@ringfence/ledger/tlog';
import { CompiledQuery } from 'kysely';
import { StoreError } from '../store-error.ts';
import { READ_ONLY, type AuditStore, type AuditTx } from './audit-store.ts';
import { logSigner, type LogIdentity } from './log-identity.ts';
import {
  claimHead,
  readEntries,
  readHead,
  readPartialTile,
  readPending,
  type PendingEvent,
  type StoredHead,
} from './stored-log.ts';

/** Steps of an append at which tests kill the process. */
export type AppendStep = 'audit-before-append' | 'audit-before-commit' | 'audit-after-commit' | 'audit-before-sign';

/** A checkpoint that was stored, read back, and signed. */
export interface SignedHead {
  readonly size: number;
  readonly root: MerkleHash;
  readonly note: string;
}

/** What an append came to: nothing to do, a signed head with perhaps more to come, or another process leads. */
export type Advance =
  | { readonly kind: 'idle'; readonly size: number }
  | { readonly kind: 'appended'; readonly head: SignedHead; readonly more: boolean }
  | { readonly kind: 'superseded' };

/** What a sequencer works with. */
export interface SequencerParts {
  readonly store: AuditStore;
  readonly identity: LogIdentity;
  readonly fault: (step: AppendStep) => void;
  /** Entries of one batch at most. */
  readonly batch?: number;
}

interface Led {
  readonly term: number;
  readonly epoch: number;
  readonly edge: LogEdge;
}

/** As many edges stay in memory as a busy replica needs; the others are made again from their rows. */
const MOST_EDGES = 512;
const BATCH = 4_096;

/**
 * Appends the events of ledgers to their logs. Each organisation's log is led in a term that this process claimed: a head moves by one
 * UPDATE that names term and size, and whoever changed no row drops its edge and signs nothing. No two calls for one organisation at a time.
 */
export class LogSequencer {
  readonly #parts: SequencerParts;
  readonly #led = new Map<OrgId, Led>();

  constructor(parts: SequencerParts) {
    this.#parts = parts;
  }

  /** Appends what is pending, at most one batch; throws StoreError or LedgerError, and then nothing is known: the next call reads anew. */
  async advance(org: OrgId): Promise<Advance> {
    const { store, fault, batch = BATCH } = this.#parts;
    try {
      fault('audit-before-append');
      const done = await store.withOrg(org, async (tx) => {
        const led = this.#led.get(org) ?? (await this.#claim(tx, org));
        const { size } = led.edge.tree;
        const pending = await readPending(tx, org, size, batch);
        if (pending.length === 0) return { led, count: 0 };
        const next = this.#entries(pending, size);
        const { edge, tiles } = appendEntries(led.edge, next);
        const moved = await append(tx, org, { led, edge, entries: next, tiles });
        fault('audit-before-commit');
        return moved ? { led: { ...led, edge }, count: pending.length } : undefined;
      });
      if (done === undefined) {
        this.#led.delete(org);
        return { kind: 'superseded' };
      }
      this.#keep(org, done.led);
      if (done.count === 0) return { kind: 'idle', size: done.led.edge.tree.size };
      fault('audit-after-commit');
      return { kind: 'appended', head: await this.#sign(org, done.led), more: done.count === batch };
    } catch (error) {
      this.#led.delete(org);
      throw error;
    }
  }

  /** Reads back what is stored and signs that: it is never less than what was appended here, and nothing else is ever signed. */
  async #sign(org: OrgId, led: Led): Promise<SignedHead> {
    const { store, identity, fault } = this.#parts;
    const head = await store.withOrg(org, (tx) => readHead(tx, org), READ_ONLY);
    if (head === undefined || head.size < led.edge.tree.size)
      throw new StoreError('query-failed', 'an audit log is shorter than what was just stored');
    if (head.size === led.edge.tree.size && head.root !== edgeRoot(led.edge.tree))
      throw new StoreError('query-failed', 'an audit log has another root than what was just stored');
    fault('audit-before-sign');
    return signHead(identity, org, head);
  }

  #entries(pending: readonly PendingEvent[], size: number): Uint8Array[] {
    return pending.map((event, at) => {
      // Numbers of events have no gap: each is given under the lock of the organisation's row.
      if (event.seq !== size + at + 1) throw new StoreError('query-failed', 'an event of a ledger is missing');
      return entryBytes(eventOfLedger(event, this.#parts.identity.keeper), size + at);
    });
  }

  async #claim(tx: AuditTx, org: OrgId): Promise<Led> {
    const head = await claimHead(tx, org, this.#parts.identity.epochOf(org));
    return { term: head.term, epoch: head.epoch, edge: await readEdge(tx, org, head) };
  }

  #keep(org: OrgId, led: Led): void {
    this.#led.delete(org);
    this.#led.set(org, led);
    const [oldest] = this.#led.keys();
    if (this.#led.size > MOST_EDGES && oldest !== undefined) this.#led.delete(oldest);
  }
}

/** The signed checkpoint of a head that was read from its row. */
export function signHead(identity: LogIdentity, org: OrgId, { epoch, size, root }: StoredHead): SignedHead {
  const signer = logSigner(identity, org, epoch);
  return { size, root, note: signCheckpoint({ origin: signer.name, size, root, extensions: [] }, signer) };
}

/** The edge of a stored log; throws StoreError where rows are missing or do not come to the stored root: nothing is appended to a damaged log. */
export async function readEdge(tx: AuditTx, org: OrgId, { size, root }: StoredHead): Promise<LogEdge> {
  const partial: Uint8Array[] = [];
  for (let [level, count] = [0, size]; count > 0; [level, count] = [level + 1, Math.floor(count / TILE_WIDTH)]) {
    const width = count % TILE_WIDTH;
    partial.push(await readPartialTile(tx, org, { level, first: count - width, width }));
  }
  const last = size % TILE_WIDTH;
  const bundle = encodeBundle(await readEntries(tx, org, size - last, size));
  try {
    const tree = edgeFromTiles(size, ({ level }) => partial[Number(level)] ?? new Uint8Array(0));
    if (edgeRoot(tree) === root) return { tree, bundle };
  } catch (cause) {
    throw damaged(cause);
  }
  throw damaged();
}

function damaged(cause?: unknown): StoreError {
  return new StoreError('query-failed', 'the stored rows of an audit log do not come to its head', {
    cause,
    next: 'export it with `ringfence audit export` and run `ringfence audit verify` on the file: that names the place',
  });
}

interface Appending {
  readonly led: Led;
  readonly edge: LogEdge;
  readonly entries: readonly Uint8Array[];
  readonly tiles: readonly WrittenTile[];
}

/** Entries, tiles and head in one statement; false when the head is another's, and then nothing was written. */
async function append(tx: AuditTx, org: OrgId, { led, edge, entries, tiles }: Appending): Promise<boolean> {
  const { size } = led.edge.tree;
  const full = tiles.flatMap(({ tile, bytes }) =>
    tile.level === 'entries' || tile.width < TILE_WIDTH
      ? []
      : [{ ...tile, level: tile.level, bytes: Buffer.from(bytes) }],
  );
  const { rows } = await tx.executeQuery(
    CompiledQuery.raw(
      `with head as (
         update audit_log set size = $4, root = $5 where org = $1 and term = $2 and size = $3 returning size
       ), entries as (
         insert into audit_entry (org, seq, bytes)
           select $1, $3 + place - 1, bytes from unnest($6::bytea[]) with ordinality as entry (bytes, place), head
       ), tiles as (
         insert into audit_tile (org, level, tile, bytes, root)
           select $1, tile.* from unnest($7::integer[], $8::bigint[], $9::bytea[], $10::bytea[]) as tile (level, tile, bytes, root), head
       )
       select size from head`,
      [
        org,
        led.term,
        size,
        edge.tree.size,
        hashToBytes(edgeRoot(edge.tree)),
        entries.map((entry) => Buffer.from(entry)),
        full.map(({ level }) => level),
        full.map(({ index }) => index),
        full.map(({ bytes }) => bytes),
        full.map(({ bytes }) => Buffer.from(hashToBytes(tileRoot(bytes)))),
      ],
    ),
  );
  return rows.length === 1;
}
