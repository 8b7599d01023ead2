/** What a figure has to reach: at least or at most this value, in the row's unit. */
export type Goal = { atLeast: number } | { atMost: number };

/** One measured figure. `params` says what it was measured with, `peer` what another product reaches (or null). */
export type Row = {
  name: string;
  params: Readonly<Record<string, string | number | boolean>>;
  value: number;
  unit: string;
  goal: Goal | null;
  peer: string | null;
};

/** What each `bench/NAME.bench.ts` exports: one sentence, and the figures as they are measured. */
export type Bench = {
  description: string;
  run: () => AsyncIterable<Row>;
};

/** Writes a goal the way rows show it: '>= 50000', '<= 150', or null when there is none. */
export function goalText(goal: Goal | null): string | null {
  if (goal === null) return null;
  return 'atLeast' in goal ? `>= ${rounded(goal.atLeast)}` : `<= ${rounded(goal.atMost)}`;
}

/** True when the value reaches the goal; a row without a goal always does. */
export function isMet({ value, goal }: Row): boolean {
  if (goal === null) return true;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Rounds to four significant digits, for people and for stable output. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
