import type { PlanAnswer } from '@ringfence/protocol/api';
import { constraintFix } from '../job/constraint-fix.ts';

/** What an agent is called. */
export type NameOf = (agent: string) => string;

type Counts = PlanAnswer['refused'];
type Terms = PlanAnswer['top'][number]['terms'];

/** Counts by constraint, on one line. */
export function countsText(counts: Counts): string {
  return counts.map(({ constraint, count }) => `${count} × ${constraint}`).join(', ');
}

/** What a score is made of, on one line; a term of 0 says nothing. */
export function termsText({ cost, speed, reliability, gravity }: Terms): string {
  const named = [
    ['price', cost],
    ['speed', speed],
    ['losses', reliability],
    ['data', gravity],
  ] as const;
  const told = named.filter(([, term]) => term !== 0).map(([name, term]) => `${name} ${rounded(term)}`);
  return told.length === 0 ? 'nothing' : told.join(' + ');
}

/** What placement would decide, for people: who refuses it for what, what giving up would bring, who is best. */
export function explanationLines(plan: PlanAnswer, nameOf: NameOf): string[] {
  const { considered, feasible, refused, soleFailures, relaxations, top, looserThanLabel } = plan;
  if (looserThanLabel.length > 0)
    return [`Offers   none was looked at: looser than the label allows: ${looserThanLabel.join(', ')}`];
  const counted = refused.length === 0 ? '' : `; refused: ${countsText(refused)}`;
  const best = top.map(
    ({ agent, tier, score, terms }, place) =>
      `${place === 0 ? 'Best    ' : '        '} ${nameOf(agent)} (${tier}): score ${rounded(score)} = ${termsText(terms)}`,
  );
  return [
    `Offers   ${considered} considered, ${feasible} could take it${counted}`,
    ...(soleFailures.length === 0 ? [] : [`Alone    this alone keeps out: ${countsText(soleFailures)}`]),
    ...relaxations.map(
      ({ giveUp, offers }, place) =>
        `${place === 0 ? 'Less    ' : '        '} without ${giveUp.join(' and ')} ${offers} more could take it`,
    ),
    ...best,
  ];
}

/** What to do about each constraint that refused somebody. */
export function fixLines(counts: Counts): string[] {
  return counts.map(({ constraint }) => `  ${constraint}: ${constraintFix(constraint)}`);
}

function rounded(score: number): string {
  return String(Number(score.toPrecision(4)));
}
