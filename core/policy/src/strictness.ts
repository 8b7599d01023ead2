import { EVIDENCE_GRADES, ISOLATIONS, SENSITIVITIES, type Isolation, type Sensitivity } from '@ringfence/protocol';

/** Strength of a claim about a site. */
export type EvidenceGrade = (typeof EVIDENCE_GRADES)[number];

/** Whether isolation `a` keeps a job at least as far apart as `b`. */
export function isolationAtLeast(a: Isolation, b: Isolation): boolean {
  return ISOLATIONS.indexOf(a) >= ISOLATIONS.indexOf(b);
}

/** The stronger of two isolations. */
export function strongerIsolation(a: Isolation, b: Isolation): Isolation {
  return isolationAtLeast(a, b) ? a : b;
}

/** Whether evidence of grade `a` is at least as strong as `b`. */
export function gradeAtLeast(a: EvidenceGrade, b: EvidenceGrade): boolean {
  return EVIDENCE_GRADES.indexOf(a) >= EVIDENCE_GRADES.indexOf(b);
}

/** The stronger of two grades of evidence. */
export function strongerGrade(a: EvidenceGrade, b: EvidenceGrade): EvidenceGrade {
  return gradeAtLeast(a, b) ? a : b;
}

/** The stricter of two sensitivities. */
export function stricterSensitivity(a: Sensitivity, b: Sensitivity): Sensitivity {
  return SENSITIVITIES.indexOf(a) >= SENSITIVITIES.indexOf(b) ? a : b;
}
