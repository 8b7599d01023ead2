import {
  claimedIndex,
  LogVerifier,
  OmissionCheck,
  parseExportRecord,
  readAuditEntry,
  splitBundle,
  type AuditEntry,
  type LogVerdict,
  type LogVerifierOptions,
  type Omission,
  type WitnessedStatement,
} from '@ringfence/ledger/tlog';

/** What an export is held against beside the log's own signatures. */
export interface JudgeOptions extends Pick<LogVerifierOptions, 'trust' | 'held'> {
  /** Statements that others hold and that this log must have. */
  readonly witnessed?: readonly WitnessedStatement[];
  /** Called with each entry that can be read, in order; nothing of it is verified yet. */
  readonly onEntry?: (entry: AuditEntry) => void;
}

/** What an export was found to be, and which statements it leaves out. */
export interface JudgedExport {
  readonly verdict: LogVerdict;
  readonly omitted: readonly Omission[];
}

/** What was journaled less than a minute before the newest entry may still be on its way. */
const GRACE_MS = 60_000;

/** Verifies the lines of an export, with or without their newlines; entries are read only when somebody asks for them. */
export async function judgeExport(
  lines: AsyncIterable<string> | Iterable<string>,
  { trust, held = [], witnessed = [], onEntry }: JudgeOptions,
): Promise<JudgedExport> {
  const verifier = new LogVerifier({ trust, held, claimOf: claimedIndex });
  const omissions = new OmissionCheck(witnessed);
  const reads = onEntry !== undefined || witnessed.length > 0;
  for await (const line of lines) {
    const record = parseExportRecord(line.endsWith('\n') ? line.slice(0, -1) : line);
    verifier.take(record);
    if (!reads || record?.kind !== 'tile' || record.tile.level !== 'entries') continue;
    for (const bytes of splitBundle(record.bytes) ?? []) {
      const entry = readAuditEntry(bytes);
      if (entry === undefined) continue;
      omissions.take(entry);
      onEntry?.(entry);
    }
  }
  return { verdict: verifier.end(), omitted: omissions.end(GRACE_MS) };
}

/** What the custodian's entry about a grant shows of the control plane's log: label, lease, order and receipt, which that log must have. */
export function shownByGrant({ action, at, statements }: AuditEntry): WitnessedStatement[] {
  // In the order of their names in the event; the first is the grant, which the control plane never sees.
  return action === 'granted' ? statements.slice(1).map((digest) => ({ digest, at })) : [];
}
