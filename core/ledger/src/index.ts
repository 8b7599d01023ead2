export {
  reconcileCapture,
  type ReconciledConnection,
  type Reconciliation,
  type ReconciliationCode,
} from './capture/reconcile.ts';
export { reconcileCounters, type CounterBounds, type CounterReport } from './capture/traffic-counters.ts';
export { appendRecord, LONGEST_LINE, readKeptRecord, readRecord, type JournalFault } from './journal/journal-chain.ts';
export { JournalReader, readJournal, type PlacedRecord } from './journal/journal-reader.ts';
export {
  EMPTY_JOURNAL,
  JOURNAL_FORMAT,
  type DisconnectCode,
  type JournalFields,
  type JournalHead,
  type JournalKind,
  type JournalRecord,
  type JournalRecordOf,
  type QueuedMessage,
} from './journal/journal-record.ts';
export { isCheckpointSigned, signCheckpoint } from './journal/checkpoint.ts';
export { foldLines } from './journal/fold.ts';
export { LinkState, type JournalOwner } from './journal/link-state.ts';
export { LedgerError, type LedgerErrorCode } from './ledger-error.ts';
export { createLedger, type Ledger, type LedgerRows } from './ledger/ledger.ts';
export { EMPTY_LEDGER, nextEntry, verifyEntries, type LedgerEntry, type LedgerHead } from './ledger/ledger-chain.ts';
export { readSessionKeys, type SessionKeys, type SessionKeysByConnection } from './wire/session-keys.ts';
export type { ChoiceBits, Smuggling, SmugglingLine } from './wire/smuggling.ts';
export type {
  WireConnection,
  WireCount,
  WireProblem,
  WireProblemCode,
  WireReport,
  WireSocket,
} from './wire/wire-report.ts';
export { wireVerify, type WireKeys } from './wire/wire-verify.ts';
