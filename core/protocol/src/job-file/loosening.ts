import { EVIDENCE_GRADES, ISOLATIONS, SENSITIVITIES, type Sensitivity } from '../fields.ts';
import { LABEL_DEFAULTS, type LabelDefaults } from './label-defaults.ts';
import type { PrivacyWishes } from './privacy-fields.ts';
import type { Finding } from './problem-list.ts';
import type { TreePath } from './tree.ts';

/** Invariant 7: every place where `wishes` ask for less than data labelled `sensitivity` demands. */
export function looserThan(wishes: PrivacyWishes, sensitivity: Sensitivity): Finding[] {
  const rules = LABEL_DEFAULTS[sensitivity];
  const found: Finding[] = [];
  const note = (path: TreePath, demand: string): void => {
    const message = `looser than ${sensitivity} data allows: ${demand}`;
    found.push({ path: ['privacy', ...path], code: 'looser-than-label', message });
  };
  const { tiers, isolation, evidenceGrade, egress, logs, burst } = wishes;
  if (wishes.sensitivity !== undefined && rank(SENSITIVITIES, wishes.sensitivity) < rank(SENSITIVITIES, sensitivity)) {
    note(['sensitivity'], 'a job may raise the label of its data, never lower it');
  }
  for (const [index, tier] of (tiers ?? []).entries()) {
    if (rules.isolation[tier] === undefined) {
      note(['place', 'tiers', index], `the tiers are ${Object.keys(rules.isolation).join(', ')}`);
    }
  }
  if (isolation !== undefined && rank(ISOLATIONS, isolation) < leastIsolation(rules)) {
    note(['isolation'], `at least ${ISOLATIONS[leastIsolation(rules)]}`);
  }
  const grade = rules.evidence?.grade;
  if (
    grade !== undefined &&
    evidenceGrade !== undefined &&
    rank(EVIDENCE_GRADES, evidenceGrade) < rank(EVIDENCE_GRADES, grade)
  ) {
    note(['place', 'evidence_grade'], `at least ${grade}`);
  }
  if (rules.egress === 'deny' && (egress ?? []).length > 0) note(['egress'], 'no host can be reached');
  if (rules.logs === 'local' && logs === 'sealed') note(['logs'], 'logs stay local');
  if (rules.burst === 'never' && burst === 'allowed') note(['burst'], 'it never bursts');
  return found;
}

function leastIsolation({ isolation, processOnOwnSite }: LabelDefaults): number {
  if (processOnOwnSite) return rank(ISOLATIONS, 'process');
  return Math.min(...Object.values(isolation).map((least) => rank(ISOLATIONS, least)));
}

/** Where `word` stands in a list whose every step is stricter than the one before. */
export function rank<Word extends string>(words: readonly Word[], word: Word): number {
  return words.indexOf(word);
}
