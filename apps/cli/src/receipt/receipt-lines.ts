import type { ReceiptStatement } from '@ringfence/protocol/statements';
import { countsText, type NameOf } from '../placement/explanation-lines.ts';
import { momentText } from '../placement/moment-text.ts';
import { termsText } from '../placement/score-text.ts';

const MILLION = 1_000_000;

/** A receipt for people. */
export function receiptLines(receipt: ReceiptStatement, nameOf: NameOf): string[] {
  const { job, attempt, at, chosen, considered, refused, feasible, score, price, budget, evidence, inventoryEpoch } =
    receipt;
  const could = feasible === undefined ? '' : `, ${feasible} could take it`;
  const counted = refused.length === 0 ? '' : `; refused: ${countsText(refused)}`;
  return [
    `Receipt  attempt ${attempt} of ${job}, ${momentText(at)}`,
    `Offers   ${considered} considered${could}${counted}, at epoch ${inventoryEpoch}`,
    `Chosen   ${nameOf(chosen.agent)} (${chosen.tier}, isolation ${chosen.isolation}), offer ${chosen.offer}`,
    ...(score === undefined ? [] : [`Score    ${termsText(inUnits(score))}`]),
    ...(price === undefined ? [] : [`Price    ${price.microUnits / MILLION} ${price.currency} an hour`]),
    ...(budget === undefined
      ? []
      : [`Budget   ${budget.reserved / MILLION} ${budget.currency} reserved, of period ${budget.period}`]),
    ...(evidence ?? []).map(({ digest, notAfter }) => `Evidence ${digest} until ${momentText(notAfter)}`),
  ];
}

function inUnits({ cost, speed, reliability, gravity }: NonNullable<ReceiptStatement['score']>) {
  return {
    cost: cost / MILLION,
    speed: speed / MILLION,
    reliability: reliability / MILLION,
    gravity: gravity / MILLION,
  };
}
