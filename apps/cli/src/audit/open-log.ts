import { utf8 } from '@ringfence/base';
import { entriesReader, tileReader, type LogSource } from '@ringfence/client/api';
import {
  openCheckpoint,
  originOf,
  readAuditEntry,
  TILE_WIDTH,
  TileNodes,
  TreeView,
  trustInLog,
  type AuditEntry,
  type CheckpointTrust,
  type TreeHead,
  type TreeRange,
} from '@ringfence/ledger/tlog';
import type { AuditHead } from '@ringfence/protocol/api';
import { CliError } from '../cli-error.ts';
import { text, type CommandContext, type Flags } from '../command.ts';
import { checkedHead } from '../home/checked-keyring.ts';
import type { Session } from '../session.ts';
import type { LogMemory } from './known-logs.ts';

/** Where a keyring's head is remembered, and the time by which it is fresh. */
type Asking = Pick<CommandContext, 'home' | 'clock'>;

/** Whose log is meant. */
export type LogName = 'control-plane' | 'custodian';
/** The flag that says whose log is meant. */
export const LOG_FLAG = { log: { type: 'string' } } as const;

/** A log that is there, its signed head checked with the key that this device knows it by. */
export interface OpenLog {
  readonly name: LogName;
  readonly source: LogSource;
  readonly answer: AuditHead;
  readonly head: TreeHead;
  /** How many entries it had when this device last verified it; 0 before the first time. */
  readonly verifiedBefore: number;
  readonly note: string;
  readonly trust: CheckpointTrust;
}

/** Which log the flags name: the control plane's unless they say `custodian`. Throws CliError `usage`. */
export function namedLog(flags: Flags): LogName {
  const name = text(flags, 'log') ?? 'control-plane';
  if (name === 'control-plane' || name === 'custodian') return name;
  throw new CliError('usage', 'there are two logs', { next: '--log control-plane, or --log custodian' });
}

/** Opens a log as {@link showLog} does; throws CliError `check-failed`, too, where it shows less than this device verified before. */
export async function openLog(context: Asking, session: Session, memory: LogMemory, name: LogName): Promise<OpenLog> {
  const log = await showLog(context, session, memory, name);
  const { head, verifiedBefore } = log;
  if (head.size < verifiedBefore)
    throw new CliError('check-failed', `the ${name}’s log has ${head.size} entries and had ${verifiedBefore} before`, {
      next: 'it was rolled back or restored: `ringfence audit status` says what others saw',
    });
  return log;
}

/**
 * A log that is there, also one that shows less than before. The control plane's key must be the one that the custodian met it by, too, and
 * the custodian's log that of the epoch which its signed keyring head states. Throws CliError `not-trusted`, `not-found`.
 */
export async function showLog(context: Asking, session: Session, memory: LogMemory, name: LogName): Promise<OpenLog> {
  const source = name === 'custodian' ? session.custodian : session.controlPlane;
  const answer = await source.audit();
  await requireOwnOrigin(context, session, { name, origin: answer.origin });
  if (name === 'control-plane') await requireSameKey(session, answer);
  memory.meet(answer.origin, answer.key);
  const trust = trustInLog(answer.key);
  if (trust === undefined || trust.origin !== answer.origin || answer.checkpoint === null)
    throw new CliError('not-found', `the ${name}’s log has no entries yet`, { next: 'try again in a moment' });
  const opened = openCheckpoint(utf8(answer.checkpoint), trust);
  if (!opened.ok)
    throw new CliError('not-trusted', `the ${name}’s log is not signed by its own key (${opened.code})`, {
      next: 'ask the operator; keep what you have of it',
    });
  const head = opened.signed.checkpoint;
  const verifiedBefore = memory.headOf(answer.origin)?.size ?? 0;
  return { name, source, answer, head, verifiedBefore, note: answer.checkpoint, trust };
}

/** A log under another name would get away from what this device verified of the one that there is. */
async function requireOwnOrigin(
  context: Asking,
  session: Session,
  { name, origin }: { name: LogName; origin: string },
): Promise<void> {
  const { org, custodian, controlPlane } = session.profile;
  const isOwn =
    name === 'control-plane'
      ? origin === originOf(controlPlane.id, org, 1)
      : origin === originOf(custodian.id, org, (await checkedHead(context, session)).seen.epoch);
  if (isOwn) return;
  throw new CliError('not-trusted', `the ${name} shows another log than its own`, {
    next: 'tell your officers, and compare with what `ringfence audit export` wrote before: only a restore of the custodian begins another log',
  });
}

async function requireSameKey(session: Session, { origin, key }: AuditHead): Promise<void> {
  const { controlPlane } = await session.custodian.auditWitnessed();
  if (controlPlane === null || controlPlane.origin !== origin || controlPlane.key === key) return;
  throw new CliError(
    'not-trusted',
    'the control plane shows this device another log key than it showed the custodian',
    {
      next: 'it keeps two logs: tell your officers, and run `ringfence audit status`',
    },
  );
}

/** The tree of a log as far as proofs about some ranges need it. */
export async function treeFor({ source, head }: OpenLog, ranges: readonly TreeRange[]): Promise<TreeView> {
  const nodes = new TileNodes();
  const read = tileReader(source);
  for (const tile of nodes.missing(ranges, head.size)) nodes.add(tile, await read(tile));
  return new TreeView(nodes, head.size);
}

/** The bytes of entry `index`, held against the signed head. Throws CliError `not-found`, `check-failed`. */
export async function entryBytesAt(log: OpenLog, index: number): Promise<Uint8Array> {
  const bundle = index < log.head.size ? await bundleReader(log)(Math.floor(index / TILE_WIDTH)) : [];
  const bytes = bundle[index % TILE_WIDTH];
  if (bytes !== undefined) return bytes;
  throw new CliError('not-found', `the ${log.name}’s log has no entry ${index}`, {
    next: `it has ${log.head.size}: see \`ringfence audit ls\``,
  });
}

/** The newest entries, the newest first, until `take` says that it has enough. Throws CliError `check-failed`. */
export async function newestEntries(log: OpenLog, take: (entry: AuditEntry) => 'more' | 'enough'): Promise<void> {
  const read = bundleReader(log);
  for (let index = Math.floor((log.head.size - 1) / TILE_WIDTH); index >= 0; index -= 1)
    for (const bytes of (await read(index)).toReversed()) {
      const entry = readAuditEntry(bytes);
      if (entry !== undefined && take(entry) === 'enough') return;
    }
}

/** What is shown of a log is what the log signed. */
function bundleReader({ name, source, head }: OpenLog): (index: number) => Promise<Uint8Array[]> {
  const read = entriesReader(source, head);
  return async (index) => {
    const entries = await read(index);
    if (entries !== undefined) return entries;
    throw new CliError('check-failed', `the ${name} gives out entries that are not those of its signed log`, {
      next: 'try again; if it stays so, tell your officers, and keep `ringfence audit export`',
    });
  };
}
