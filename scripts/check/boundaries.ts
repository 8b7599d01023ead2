import type { Violation } from './cruise.ts';
import { PLANTED, type PlantedImport } from './planted-breaches.ts';
import { cruisePlanted } from './planted-tree.ts';

type Rules = { forbidden: readonly { name: string }[] };

/**
 * Checks the arrows of `checkout` against the rules file at `rules`, and the rules themselves: one cruise of a copy
 * with planted imports tells the tree's own broken arrows, planted breaches that were not found, allowed imports that
 * were refused, and rules for which nothing is planted. Files whose name `leftOut` matches stay out of it.
 */
export async function checkBoundaries(checkout: string, rules: string, leftOut?: RegExp): Promise<string[]> {
  const { default: config } = (await import(rules)) as { default: Rules };
  const found = await cruisePlanted({ checkout, leftOut }, rules, PLANTED);
  return [...ownBreaches(found), ...unprovenRules(config, PLANTED), ...misjudged(found, PLANTED)];
}

function ownBreaches(found: readonly Violation[]): string[] {
  const own = found.filter(({ from }) => !from.includes('/planted'));
  return own.map(({ rule, from, to, via }) => `${rule}: ${[from, ...via, to].join(' → ')}`);
}

function unprovenRules({ forbidden }: Rules, planted: readonly PlantedImport[]): string[] {
  const unproven = forbidden.filter(({ name }) => !planted.some(({ rule, broken }) => broken && rule === name));
  return unproven.map(({ name }) => `${name}: no breach of this rule is planted; add one to planted-breaches.ts`);
}

function misjudged(found: readonly Violation[], planted: readonly PlantedImport[]): string[] {
  const reported = ({ rule, at }: PlantedImport) => found.some((one) => one.rule === rule && one.from === at);
  const wrong = planted.filter((one) => reported(one) !== one.broken);
  return wrong.map(({ rule, at, broken }) =>
    broken ? `${rule}: did not find the planted breach ${at}` : `${rule}: refused the allowed import ${at}`,
  );
}
