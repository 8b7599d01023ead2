import type { PlanAnswer } from '@ringfence/protocol/api';

type Terms = PlanAnswer['top'][number]['terms'];

/** What placement takes for the price of an offer away from home without one, or with one in another currency: more than any may be. */
const UNKNOWN_PRICE = 10_000_000;

/** A score on one line, the less the better; without its number where the price is unknown. `costWeight` is what the job weighs costs by. */
export function scoreText(score: number, terms: Terms, costWeight = 1): string {
  const made = termsText(terms, costWeight);
  return isUnknown(terms, costWeight) ? `score ${made}` : `score ${rounded(score)} = ${made}`;
}

/** What a score is made of, on one line; a term of 0 says nothing. */
export function termsText(terms: Terms, costWeight = 1): string {
  const named = [
    ['price', terms.cost],
    ['speed', terms.speed],
    ['losses', terms.reliability],
    ['data', terms.gravity],
  ] as const;
  const told = named
    .filter(([, term]) => term !== 0)
    .map(([name, term]) =>
      name === 'price' && isUnknown(terms, costWeight) ? 'price unknown' : `${name} ${rounded(term)}`,
    );
  return told.length === 0 ? 'nothing' : told.join(' + ');
}

function isUnknown({ cost }: Terms, costWeight: number): boolean {
  return costWeight > 0 && cost >= UNKNOWN_PRICE * costWeight;
}

function rounded(score: number): string {
  return String(Number(score.toPrecision(4)));
}
