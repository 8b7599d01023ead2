import { EVIDENCE_GRADES, ISOLATIONS, SENSITIVITIES, TIERS, type Sensitivity } from '../fields.ts';
import { LABEL_RULES } from '../label-rules.ts';
import type { PrivacyWishes } from './privacy-fields.ts';
import type { Finding } from './problem-list.ts';
import type { TreePath } from './tree.ts';

/** Invariant 7: every place where `wishes` ask for less than data labelled `sensitivity` demands. */
export function looserThan(wishes: PrivacyWishes, sensitivity: Sensitivity): Finding[] {
  const rule = LABEL_RULES[sensitivity];
  const found: Finding[] = [];
  const note = (path: TreePath, demand: string): void => {
    const message = `looser than ${sensitivity} data allows: ${demand}`;
    found.push({ path: ['privacy', ...path], code: 'looser-than-label', message });
  };
  const { tiers, isolation, evidenceGrade: grade, egress, logs, burst } = wishes;
  if (wishes.sensitivity !== undefined && below(SENSITIVITIES, wishes.sensitivity, sensitivity)) {
    note(['sensitivity'], 'a job may raise the label of its data, never lower it');
  }
  for (const [index, tier] of (tiers ?? []).entries()) {
    if (!rule.tiers.includes(tier)) {
      note(['place', 'tiers', index], `the tiers are ${TIERS.filter((one) => rule.tiers.includes(one)).join(', ')}`);
    }
  }
  const least = rule.processAtHome ? 'process' : rule.isolation;
  if (isolation !== undefined && below(ISOLATIONS, isolation, least)) note(['isolation'], `at least ${least}`);
  // Evidence is about other people's sites; the organisation's own are vouched for by its keyring.
  const leavesHome = (tiers ?? rule.tiers).some((tier) => tier !== 'private');
  if (
    leavesHome &&
    rule.evidence !== undefined &&
    grade !== undefined &&
    below(EVIDENCE_GRADES, grade, rule.evidence)
  ) {
    note(['place', 'evidence_grade'], `at least ${rule.evidence}`);
  }
  if (rule.egress === 'none' && (egress ?? []).length > 0) note(['egress'], 'no host can be reached');
  if (rule.logs === 'local' && logs === 'sealed') note(['logs'], 'logs stay local');
  if (rule.burst === 'never' && burst === 'allowed') note(['burst'], 'it never bursts');
  return found;
}

/** Whether `word` stands before `least` in a list whose every step is stricter than the one before. */
function below<Word extends string>(words: readonly Word[], word: Word, least: Word): boolean {
  return words.indexOf(word) < words.indexOf(least);
}
