import { ApiRefusal } from '@ringfence/client/api';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/**
 * What to say of a job whose label the custodian refused: where data that it mounts does not exist, which, all of it at once. The custodian’s own
 * words repeat no name that a request chose.
 */
export async function namingDatasets(
  { custodian }: Session,
  mounts: readonly string[],
  refusal: unknown,
): Promise<unknown> {
  if (!(refusal instanceof ApiRefusal) || refusal.code !== 'not-found') return refusal;
  const there = new Set((await custodian.artifacts()).map(({ name }) => name));
  const missing = [...new Set(mounts)].filter((name) => !there.has(name));
  if (missing.length === 0) return refusal;
  return new CliError('not-found', `the custodian has no dataset called ${missing.join(', ')}`, {
    cause: refusal,
    next: `ringfence dataset add ${missing[0]} DIR --label LABEL, or see \`ringfence dataset ls\`: names are case-sensitive`,
  });
}
