/** A draw without putting back: `drawn` of a `population` of which `marked` are marked. */
export interface Draw {
  readonly population: number;
  readonly marked: number;
  readonly drawn: number;
}

/** The natural logarithm of the probability that at least `least` of those drawn are marked; −∞ where it cannot be. */
export function logTail({ population, marked, drawn }: Draw, least: number): number {
  const from = Math.max(least, 0, drawn - (population - marked));
  const to = Math.min(marked, drawn);
  if (least <= Math.max(0, drawn - (population - marked))) return 0;
  if (from > to) return -Infinity;
  const all = logChoose(population, drawn);
  const terms: number[] = [];
  for (let hit = from; hit <= to; hit += 1)
    terms.push(logChoose(marked, hit) + logChoose(population - marked, drawn - hit) - all);
  const most = Math.max(...terms);
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
}

/** ln(n choose k). */
function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

// Sums of logarithms are kept, as far as they were asked for: 65,535 clients at the most.
const sums: number[] = [0];

function logFactorial(n: number): number {
  for (let at = sums.length; at <= n; at += 1) sums.push((sums[at - 1] as number) + Math.log(at));
  return sums[n] as number;
}
