import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, systemRng, toBase64Url } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
import { RecordKey } from '@ringfence/crypto/record';
import {
  appendEntries,
  claimedIndex,
  edgeRoot,
  EMPTY_LOG,
  entryBytes,
  formatExportRecord,
  leafHash,
  LogVerifier,
  newSubjectHandle,
  parseExportRecord,
  sealSubject,
  signCheckpoint,
  TILE_WIDTH,
  TileNodes,
  TreeView,
  verifierKey,
  verifyInclusion,
  type AuditEvent,
  type LogEdge,
  type MerkleHash,
} from '@ringfence/ledger/tlog';
import { startDurableLog } from './audit/durable-log.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from './disk.ts';
import { loadNow, perSecond, repeated, type Repeated } from './measure.ts';
import type { Goal, Row } from './row.ts';

export const description =
  'changes logged and appended with signed heads on PostgreSQL; inclusion proofs made and verified, and an export of a million audit entries verified, on one core';

const ENTRIES = 1_000_000;
const ORIGIN = 'bench.example/audit';
const ROUND = 4096;
const NS_PER_S = 1e9;

const APPENDED = 40_000;
const WRITERS = { organisations: 16, each: 16, forMs: 5_000 } as const;

/** Rows `appends_per_s`, `changes_per_s`, `append_p99_ms`, beside how often this disk syncs. */
async function* durableRows(): AsyncGenerator<Row> {
  const disk = await diskFdatasyncPerS();
  yield diskRow(disk);
  const goal = (wanted: Goal): Goal => durableGoal(wanted, disk.median);
  const root = mkdtempSync(join(tmpdir(), 'ringfence-audit-bench-'));
  const log = await startDurableLog(root);
  try {
    const appends = await repeated(3, () => log.appends(APPENDED));
    yield row('appends_per_s', appends, 10_000, APPENDED);
    const { changesPerS, p99Ms } = await log.changes(WRITERS);
    const params = { ...WRITERS, load_1m: loadNow() };
    yield {
      name: 'changes_per_s',
      params,
      value: changesPerS,
      unit: '1/s',
      goal: goal({ atLeast: 2_000 }),
      peer: null,
    };
    yield { name: 'append_p99_ms', params, value: p99Ms, unit: 'ms', goal: goal({ atMost: 50 }), peer: null };
  } finally {
    await log.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Rows `proofs_per_s`, `verifications_per_s`, `verify_1m_s`; the clock of the last stands still while entries are made. */
export async function* run(): AsyncGenerator<Row> {
  yield* durableRows();
  const log = writtenLog();
  yield row('proofs_per_s', await perSecond(proving(log)), 100_000);
  yield row('verifications_per_s', await perSecond(verifying(log)), 30_000);
  yield { ...verifyExport(log), goal: { atMost: 10 } };
}

interface WrittenLog {
  readonly edge: LogEdge;
  readonly nodes: TileNodes;
  readonly tileLines: string[];
  readonly note: string;
  readonly key: NoteKey;
  readonly leaf: (index: number) => MerkleHash;
}

const base: Omit<AuditEvent, 'id'> = {
  v: 1,
  at: 1_700_000_000_000,
  org: newId('org', systemRng),
  actor: { kind: 'member', id: null },
  action: 'job.submit',
  outcome: 'allowed',
  reasons: ['role-ml-engineer'],
  objects: [newId('project', systemRng), newId('job', systemRng)],
  statements: ['ab'.repeat(32)],
  facts: { assurance: 2 },
  subjects: [subject()],
};

function subject(): AuditEvent['subjects'][number] {
  const handle = newSubjectHandle(systemRng);
  const fields = { address: '203.0.113.7', 'user-agent': 'ringfence/1' };
  return sealSubject(RecordKey.generate(systemRng), { entry: handle, handle }, fields, systemRng);
}

/** Entry number `seq`, the same whenever it is asked for. */
function entry(seq: number): Uint8Array {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(seq);
  return entryBytes({ ...base, id: toBase64Url(id) }, seq);
}

function entries(from: number): Uint8Array[] {
  return Array.from({ length: Math.min(TILE_WIDTH, ENTRIES - from) }, (_, at) => entry(from + at));
}

function writtenLog(): WrittenLog {
  const nodes = new TileNodes();
  const tileLines: string[] = [];
  let edge = EMPTY_LOG;
  const full = (width: number): boolean => width === TILE_WIDTH;
  for (let from = 0; from < ENTRIES; from += TILE_WIDTH) {
    const batch = appendEntries(edge, entries(from));
    edge = batch.edge;
    for (const { tile, bytes } of batch.tiles) {
      if (tile.level === 'entries') continue;
      nodes.add(tile, bytes);
      if (full(tile.width) || from + TILE_WIDTH >= ENTRIES)
        tileLines.push(formatExportRecord({ kind: 'tile', tile, bytes }).trimEnd());
    }
  }
  const key = NoteKey.generate(systemRng);
  const { tree } = edge;
  const note = signCheckpoint(
    { origin: ORIGIN, size: tree.size, root: edgeRoot(tree), extensions: [] },
    { name: ORIGIN, key },
  );
  return { edge, nodes, tileLines, note, key, leaf: (index) => leafHash(entry(index)) };
}

/** Indices all over the log. */
function scattered(round: number): number {
  return (round * 7919 * 1009) % ENTRIES;
}

function proving({ nodes }: WrittenLog): () => void {
  const view = new TreeView(nodes, ENTRIES);
  for (let index = 0; index < ENTRIES; index += TILE_WIDTH) view.proveInclusion(index);
  let round = 0;
  return () => {
    round += 1;
    if (view.proveInclusion(scattered(round)).length === 0) throw new Error('a proof has hashes');
  };
}

function verifying({ nodes, edge, leaf }: WrittenLog): () => void {
  const view = new TreeView(nodes, ENTRIES);
  const root = edgeRoot(edge.tree);
  const claims = Array.from({ length: ROUND }, (_, round) => {
    const index = scattered(round);
    return { claim: { index, size: ENTRIES, leaf: leaf(index), root }, proof: view.proveInclusion(index) };
  });
  let round = 0;
  return () => {
    const next = claims[round % ROUND];
    round += 1;
    if (next === undefined || !verifyInclusion(next.claim, next.proof)) throw new Error('a good proof was refused');
  };
}

function verifyExport({ note, tileLines, key }: WrittenLog): Omit<Row, 'goal'> {
  const trust = { origin: ORIGIN, logKeys: [verifierKey(ORIGIN, 'note', key.publicKey)] };
  const verifier = new LogVerifier({ trust, claimOf: claimedIndex });
  let spent = 0n;
  let bytes = 0;
  const timed = (lines: readonly string[]): void => {
    const from = process.hrtime.bigint();
    for (const line of lines) verifier.take(parseExportRecord(line));
    spent += process.hrtime.bigint() - from;
    bytes += lines.reduce((sum, line) => sum + line.length, 0);
  };
  const head = formatExportRecord({ kind: 'checkpoint', note }).trimEnd();
  timed([formatExportRecord({ kind: 'header', origin: ORIGIN }).trimEnd(), head, ...tileLines]);
  for (let from = 0; from < ENTRIES; from += TILE_WIDTH) timed([bundleLine(from)]);
  const end = process.hrtime.bigint();
  const verdict = verifier.end();
  spent += process.hrtime.bigint() - end;
  if (!verdict.ok) throw new Error('an honest export was refused');
  const params = { entries: ENTRIES, export_mb: Math.round(bytes / 1e6) };
  return { name: 'verify_1m_s', params, value: Number(spent) / NS_PER_S, unit: 's', peer: null };
}

function bundleLine(from: number): string {
  const { tiles } = appendEntries(EMPTY_LOG, entries(from));
  const bundle = tiles.find(({ tile }) => tile.level === 'entries');
  if (bundle === undefined) throw new Error('a batch has a bundle');
  const tile = { ...bundle.tile, index: from / TILE_WIDTH };
  return formatExportRecord({ kind: 'tile', tile, bytes: bundle.bytes }).trimEnd();
}

function row(name: string, { median, spreadPercent }: Repeated, goal: number, entries = ENTRIES): Row {
  const params = { entries, spread_percent: spreadPercent, load_1m: loadNow() };
  return { name, params, value: median, unit: '1/s', goal: { atLeast: goal }, peer: null };
}
