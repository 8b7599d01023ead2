import { ApiRefusal } from '@ringfence/client/api';
import { CliError } from '../cli-error.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Session } from '../session.ts';

/**
 * What to say where the custodian refused what was asked about datasets, such as the label of a job: where some do not exist, which, all of it at
 * once, and the nearest name to the first. The custodian’s own words repeat no name that a request chose.
 */
export async function namingDatasets(
  { custodian }: Session,
  names: readonly string[],
  refusal: unknown,
): Promise<unknown> {
  if (!(refusal instanceof ApiRefusal) || refusal.code !== 'not-found') return refusal;
  const there = (await custodian.artifacts()).map(({ name }) => name);
  const [first, ...others] = new Set(names).difference(new Set(there));
  if (first === undefined) return refusal;
  return new CliError('not-found', `the custodian has no dataset called ${[first, ...others].join(', ')}`, {
    cause: refusal,
    next: didYouMean(
      first,
      there,
      `ringfence dataset add ${first} DIR --label LABEL, or see \`ringfence dataset ls\`: names are case-sensitive`,
    ),
  });
}
