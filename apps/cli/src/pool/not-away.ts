import type { PlanAnswer } from '@ringfence/protocol/api';
import type { WaitingReason } from '@ringfence/protocol/statements';
import { constraintFix } from '../job/constraint-fix.ts';

type NotAway = NonNullable<PlanAnswer['notAway']>[number];

const NOT_AWAY: Readonly<Record<NotAway, string>> = {
  'may-not-leave': 'its label or its file keeps it at home',
  'keeps-on': 'with `on_partition: keep` no end of a lease bounds what it costs',
  'gate-closed': 'the gate is closed: own machines are not full for long enough',
  'most-at-once': 'as many attempts are away as the pool allows at once',
  currency: 'its price limit is in another currency than the budget',
  budget: 'the budget of the period is spent or reserved',
};

/** Why a job stays at home for now, for people; nothing where there is no pool or it may leave. */
export function notAwayLines(reasons: readonly NotAway[] | undefined): string[] {
  return (reasons ?? []).map(
    (reason, place) => `${place === 0 ? 'Pool    ' : '        '} not away from home now: ${NOT_AWAY[reason]}`,
  );
}

/** What to do about `constraint` for a job that its pool may keep at home: another tier in its file would bring it nothing then. */
export function fixUnderPool(constraint: WaitingReason, reasons: readonly NotAway[] | undefined): string {
  const stays = constraint === 'tier' && reasons?.some((reason) => reason !== 'may-not-leave');
  return stays === true
    ? 'its pool lets it not leave home now: wait, or see `ringfence pool status`; or join a machine of your own'
    : constraintFix(constraint);
}
