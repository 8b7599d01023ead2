import {
  EVIDENCE_GRADES,
  EVIDENCE_STANDARDS,
  ISOLATIONS,
  jurisdiction,
  SENSITIVITIES,
  TEES,
  TIERS,
  type Isolation,
  type Sensitivity,
  type Tier,
} from '../fields.ts';
import { MOST_DENIED } from '../statements/placement.ts';
import { evidenceAgeDays } from './duration.ts';
import { parseEgressTarget, type EgressTarget } from './egress-target.ts';
import { listOf, oneOf, record, text, trueOrFalse, type ReadBy } from './read.ts';

/** Whether a job may move to the marketplace at peak. */
const BURST = ['allowed', 'never'] as const;
/** Where logs rest: at the agent, or sealed in the custodian's store. */
const LOGS = ['local', 'sealed'] as const;

/** One of {@link BURST}. */
export type Burst = (typeof BURST)[number];
/** One of {@link LOGS}. */
export type Logs = (typeof LOGS)[number];
/** A kind of trusted execution environment. */
export type Tee = (typeof TEES)[number];
/** How strong evidence is. */
export type EvidenceGrade = (typeof EVIDENCE_GRADES)[number];
/** What evidence speaks of. */
export type EvidenceStandard = (typeof EVIDENCE_STANDARDS)[number];

/** What a job's file says about privacy; undefined leaves the choice to the label. */
export interface PrivacyWishes {
  readonly sensitivity: Sensitivity | undefined;
  readonly tiers: readonly Tier[] | undefined;
  /** Any of these; ISO 3166-1 alpha-2, EU or EEA. */
  readonly residency: readonly string[] | undefined;
  /** None of these; the same words. */
  readonly residencyDeny: readonly string[] | undefined;
  readonly require: readonly EvidenceStandard[] | undefined;
  readonly evidenceGrade: EvidenceGrade | undefined;
  readonly evidenceMaxAgeDays: number | undefined;
  /** At least this. */
  readonly isolation: Isolation | undefined;
  readonly burst: Burst | undefined;
  /** Its keys may be nowhere that strangers could read them. */
  readonly customerKey: boolean | undefined;
  /** Any of `require`; `gpu` asks for a confidential GPU too. */
  readonly tee: { readonly require: readonly Tee[]; readonly gpu: boolean } | undefined;
  readonly egress: readonly EgressTarget[] | undefined;
  readonly logs: Logs | undefined;
}

const country = text(
  (value) => (jurisdiction.safeParse(value).success ? value : undefined),
  'a country as two capital letters (ISO 3166-1), EU or EEA',
);

const placeFields = record({
  tiers: listOf(oneOf(TIERS), 1, TIERS.length),
  residency: listOf(country, 1, 32),
  residency_deny: listOf(country, 1, MOST_DENIED),
  require: listOf(oneOf(EVIDENCE_STANDARDS), 0, EVIDENCE_STANDARDS.length),
  evidence_grade: oneOf(EVIDENCE_GRADES),
  evidence_max_age: evidenceAgeDays,
});

/** What stands in the `privacy` section. */
export const PRIVACY_FIELDS = {
  sensitivity: oneOf(SENSITIVITIES),
  place: placeFields,
  isolation: oneOf(ISOLATIONS),
  burst: oneOf(BURST),
  customer_key: trueOrFalse,
  tee: record({ require: listOf(oneOf(TEES), 1, TEES.length), gpu: trueOrFalse }, ['require']),
  egress: listOf(text(parseEgressTarget, 'host:port with one exact public or local-network host, no wildcard'), 0, 64),
  logs: oneOf(LOGS),
};

/** Reads the `privacy` section. */
export const privacyFields = record(PRIVACY_FIELDS);

/** The section in the terms of the rest of the program. */
export function privacyWishes(values: ReadBy<typeof privacyFields> = {}): PrivacyWishes {
  const { place = {}, tee } = values;
  return {
    sensitivity: values.sensitivity,
    tiers: place.tiers,
    residency: place.residency,
    residencyDeny: place.residency_deny,
    require: place.require,
    evidenceGrade: place.evidence_grade,
    evidenceMaxAgeDays: place.evidence_max_age,
    isolation: values.isolation,
    burst: values.burst,
    customerKey: values.customer_key,
    tee: tee === undefined ? undefined : { require: tee.require ?? [], gpu: tee.gpu ?? false },
    egress: values.egress,
    logs: values.logs,
  };
}
