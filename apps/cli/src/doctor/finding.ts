/** What doctor found in one place. */
export interface Finding {
  readonly check: string;
  readonly verdict: 'good' | 'warn' | 'bad';
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** Not to be used with other people's data: bad with `--production`. */
  readonly unfit?: boolean;
}

/** A finding that all is well. */
export const good = (check: string, detail: string): Finding => ({ check, verdict: 'good', detail });
/** A finding that should be mended. */
export const warn = (check: string, detail: string, remedy: string): Finding => ({
  check,
  verdict: 'warn',
  detail,
  remedy,
});
/** A finding that must be mended. */
export const bad = (check: string, detail: string, remedy: string): Finding => ({
  check,
  verdict: 'bad',
  detail,
  remedy,
});
/** A finding that does for a try and not for production. */
export const unfit = (check: string, detail: string, remedy: string): Finding => ({
  check,
  verdict: 'warn',
  detail,
  remedy,
  unfit: true,
});

/** Findings as production judges them. */
export function forProduction(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => (finding.unfit === true ? { ...finding, verdict: 'bad' } : finding));
}
