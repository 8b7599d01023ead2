import type { PlanAnswer } from '@ringfence/protocol/api';
import { fixUnderPool, notAwayLines } from '../pool/not-away.ts';
import { scoreText } from './score-text.ts';

/** What an agent is called. */
export type NameOf = (agent: string) => string;

type Counts = PlanAnswer['refused'];

/** Counts by constraint, on one line. */
export function countsText(counts: Counts): string {
  return counts.map(({ constraint, count }) => `${count} × ${constraint}`).join(', ');
}

/** What placement would decide, for people: who refuses it for what, what giving up would bring, who is best. */
export function explanationLines(plan: PlanAnswer, nameOf: NameOf, costWeight = 1): string[] {
  const { considered, feasible, refused, soleFailures, relaxations, top, looserThanLabel } = plan;
  const notAway = plan.chosen === null ? notAwayLines(plan.notAway) : [];
  if (looserThanLabel.length > 0)
    return [...notAway, `Offers   none was looked at: looser than the label allows: ${looserThanLabel.join(', ')}`];
  const counted = refused.length === 0 ? '' : `; refused: ${countsText(refused)}`;
  const best = top.map(
    ({ agent, tier, score, terms }, place) =>
      `${place === 0 ? 'Best    ' : '        '} ${nameOf(agent)} (${tier}): ${scoreText(score, terms, costWeight)}`,
  );
  return [
    `Offers   ${considered} considered, ${feasible} could take it${counted}`,
    ...(soleFailures.length === 0 ? [] : [`Alone    this alone keeps out: ${countsText(soleFailures)}`]),
    ...relaxations.map(
      ({ giveUp, offers }, place) =>
        `${place === 0 ? 'Less    ' : '        '} without ${giveUp.join(' and ')} ${offers} more could take it`,
    ),
    ...notAway,
    ...best,
  ];
}

/** What to do about each constraint that refused somebody, where its pool may be what keeps a job at home. */
export function fixLines({ refused, notAway }: Pick<PlanAnswer, 'refused' | 'notAway'>): string[] {
  return refused.map(({ constraint }) => `  ${constraint}: ${fixUnderPool(constraint, notAway)}`);
}
