import { errorFields, type OrgId } from '@ringfence/base';
import { StoreError } from '@ringfence/store';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';

/** Whether the next organisation's change would fail too: the database is away, or another replica places. */
export function endsRound(error: unknown): boolean {
  return (
    (error instanceof StoreError || error instanceof ControlPlaneError) &&
    ['unavailable', 'closed'].includes(error.code)
  );
}

/** Runs `change` for one after the other; where one fails the others still have theirs. Throws what would fail them all. */
export async function eachForItself<T extends { readonly org: OrgId }>(
  { log }: Pick<ControlPlaneContext, 'log'>,
  rows: readonly T[],
  change: (row: T) => Promise<void>,
): Promise<void> {
  for (const row of rows)
    try {
      await change(row);
    } catch (error) {
      if (endsRound(error)) throw error;
      log.warn('placer.change_failed', { org: row.org, ...errorFields(error) });
    }
}
