/** Seconds that one test of these files may take, beyond what others may: long ones, and races of many rounds, whose length is the machine's doing. */
export const LONGER_SECONDS: Readonly<Record<string, number>> = {
  'apps/custodian/src/release/release.test.ts': 1_800,
  'tests/chaos/chaos.full.test.ts': 2_400,
};

/** Time for Node's own limit to end a test and say so before the runner is stopped. */
const MARGIN_MS = 5_000;

/** Milliseconds that one test of `files` may take where others may take `usualMs`, and after which a silent runner is stopped. */
export function timeLimits(files: readonly string[], usualMs: number): { timeoutMs: number; quietMs: number } {
  const timeoutMs = Math.max(usualMs, ...files.map((path) => (LONGER_SECONDS[path] ?? 0) * 1_000));
  return { timeoutMs, quietMs: timeoutMs + MARGIN_MS };
}
