import { CliError } from '../cli-error.ts';
import type { JudgedExport } from './judge-export.ts';

/** What was found, as JSON shows it. */
export interface VerdictView {
  readonly origin: string;
  readonly ok: boolean;
  readonly size: number | null;
  readonly witnesses: number;
  readonly faults: readonly object[];
  readonly omitted: readonly object[];
}

/** The view of a judged export. */
export function verdictView(origin: string, { verdict, omitted }: JudgedExport): VerdictView {
  const size = verdict.ok ? verdict.signed.checkpoint.size : null;
  const witnesses = verdict.ok ? verdict.signed.verified.filter(({ key }) => key.type === 'cosignature').length : 0;
  const faults = verdict.ok ? [] : verdict.faults;
  const left = omitted.map(({ statement, before }) => ({ ...statement, before }));
  return { origin, ok: verdict.ok && left.length === 0, size, witnesses, faults, omitted: left };
}

/** The same in lines. */
export function verdictLines(view: VerdictView, { verdict, omitted }: JudgedExport): string[] {
  const title = `${view.origin}: ${view.ok ? `verified, ${view.size} entries` : 'NOT VERIFIED'}`;
  const faults = verdict.ok ? [] : verdict.faults;
  return [
    title,
    ...faults.map((fault) =>
      'record' in fault
        ? `  ${fault.code}${fault.record === 0 ? '' : ` (line ${fault.record})`}`
        : `  ${fault.code}: the first wrong entry is ${range(fault.index, fault.until)}`,
    ),
    ...omitted.map(
      ({ statement, before }) =>
        `  omitted: statement ${statement.digest} was acted on and belongs before entry ${before}`,
    ),
  ];
}

/** Throws CliError `check-failed` unless everything is right. */
export function requireRight(views: readonly VerdictView[]): void {
  const wrong = views.filter(({ ok }) => !ok).length;
  if (wrong === 0) return;
  throw new CliError('check-failed', `${wrong} of ${views.length} logs are not what was signed`, {
    next: 'docs/protocol/audit.md says what each fault means; keep the export, and tell your officers',
  });
}

function range(index: number, until: number): string {
  return until === index + 1 ? String(index) : `from ${index} on, below ${until}`;
}
