import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/** Refuses a job whose secrets the custodian does not have, all of them at once. Throws CliError `not-found`. */
export async function requireSecrets({ custodian }: Session, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const there = new Set((await custodian.secrets()).map(({ name }) => name));
  const missing = names.filter((name) => !there.has(name));
  if (missing.length > 0)
    throw new CliError('not-found', `the custodian has no secret called ${missing.join(', ')}`, {
      next: `ringfence secret set ${missing[0]}`,
    });
}
