import { readFileSync } from 'node:fs';
import { messageOf } from '@ringfence/base';
import { reconcileCapture, reconcileCounters, type CounterReport, type Reconciliation } from '@ringfence/ledger';
import { CliError } from '../cli-error.ts';
import type { VerifiedLink } from './verify-journal.ts';

/** What another process saw. */
export interface SeenFiles {
  readonly capture: string | undefined;
  readonly counters: string | undefined;
  /** Connections that were dialled earlier are not in the counters: a date as RFC 3339 writes it. */
  readonly since: string | undefined;
}

/** What comparing the journals with it showed. */
export interface SeenReports {
  readonly ok: boolean;
  readonly capture?: Reconciliation;
  readonly counters?: CounterReport;
}

/** Compares all journals together with a capture and with counters. Throws CliError `bad-file`, `usage`, LedgerError `bad-capture`. */
export function reconcile(links: readonly VerifiedLink[], files: SeenFiles): SeenReports {
  const sockets = links.flatMap((link) => link.sockets);
  // oxlint-disable-next-line no-restricted-globals -- reads a time that was written; no clock is read
  const since = files.since === undefined ? 0 : Date.parse(files.since);
  if (Number.isNaN(since))
    throw new CliError('usage', '--since is no date', { next: 'write it as 2026-01-31T12:00:00Z' });
  const capture = files.capture === undefined ? undefined : reconcileCapture(read(files.capture), sockets);
  const counters =
    files.counters === undefined ? undefined : reconcileCounters(read(files.counters).toString(), sockets, since);
  return {
    ok: capture?.ok !== false && counters?.ok !== false,
    ...(capture === undefined ? {} : { capture }),
    ...(counters === undefined ? {} : { counters }),
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read: ${messageOf(cause)}`, { cause, next: 'name a file' });
  }
}
