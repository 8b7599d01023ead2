import type { DurationMs } from '@ringfence/base';
import { ISOLATIONS, SENSITIVITIES, TIERS, type Isolation, type Sensitivity, type Tier } from '../fields.ts';
import type { LabelStatement } from '../statements/job.ts';
import type { Resources } from '../statements/placement.ts';
import type { JobFile, JobFileFields } from './job-file.ts';
import { isWithinJurisdiction } from './jurisdiction.ts';
import { LABEL_DEFAULTS, type LabelDefaults } from './label-defaults.ts';
import type { OnPartition } from './lifecycle-fields.ts';
import { looserThan, rank } from './loosening.ts';
import type { Burst, EvidenceGrade, EvidenceStandard, Logs, PrivacyWishes, Tee } from './privacy-fields.ts';
import { JobFileError } from './problem.ts';
import { toProblem, type Finding } from './problem-list.ts';
import type { Spot } from './resource-fields.ts';
import { resolveResources, type ResourceLimits } from './resolve-resources.ts';

/** What the label says that a job has to obey. */
export type JobLabel = Pick<LabelStatement, 'sensitivity' | 'residency'>;

/** Where a job may run and how it is kept apart, with nothing left open. */
export interface ResolvedPrivacy {
  readonly sensitivity: Sensitivity;
  readonly tiers: readonly Tier[];
  /** Any of these; empty when neither label nor job says. */
  readonly residency: readonly string[];
  readonly isolation: ResolvedIsolation;
  /** What a provider must prove; undefined when nothing. */
  readonly evidence: ResolvedEvidence | undefined;
  /** Outside the own perimeter: a TEE, or a signed `accept_provider_plaintext`. */
  readonly teeOrAcceptedPlaintext: boolean;
  /** Any of these; empty when no TEE is asked for. */
  readonly tees: readonly Tee[];
  readonly gpuTee: boolean;
  /** The hosts that can be reached; empty for none. */
  readonly egress: PrivacyWishes['egress'] & object;
  readonly logs: Logs;
  readonly burst: Burst;
}

/** The least isolation in each tier that the job may run in. */
export interface ResolvedIsolation {
  readonly byTier: Readonly<Partial<Record<Tier, Isolation>>>;
  /** L0 is enough on the organisation's own site whose owner started the agent with `--allow-process`. */
  readonly processOnOwnSite: boolean;
}

/** Evidence that an offer must carry. */
export interface ResolvedEvidence {
  readonly require: readonly EvidenceStandard[];
  readonly grade: EvidenceGrade;
  readonly issuer: 'any' | 'own-officer';
  readonly maxAgeDays: number;
}

/** A job with every default filled in, as strict as its label and its own wishes together. */
export interface ResolvedJob extends Omit<JobFileFields, 'resources' | 'onPartition' | 'maxDurationMs' | 'privacy'> {
  readonly resources: Resources;
  readonly limits: ResourceLimits;
  readonly spot: Spot;
  readonly maxPrice: JobFileFields['resources']['maxPrice'];
  readonly onPartition: OnPartition;
  readonly maxDurationMs: DurationMs;
  /** Attempts in all, the first among them. */
  readonly maxAttempts: number;
  /** Replicas at the peak; 1 for everything that is no service. */
  readonly maxReplicas: number;
  readonly privacy: ResolvedPrivacy;
}

const DAY = 86_400_000;
const EVIDENCE_MAX_AGE_DAYS = 365;

/**
 * Fills in the defaults of `file` under `label`. Throws `JobFileError` with every place where the job is looser than the
 * label allows.
 */
export function resolveJob(file: JobFile, label: JobLabel): ResolvedJob {
  const found = [...looserThan(file.privacy, label.sensitivity), ...outsideResidency(file.privacy, label)];
  if (found.length > 0) throw new JobFileError(found.map((finding) => toProblem(finding)));
  const { resources: wishes, privacy, ...same } = file;
  const serves = file.type === 'serve';
  return {
    ...same,
    ...resolveResources(wishes),
    spot: wishes.spot ?? (file.retry.on.includes('interruption') ? 'auto' : 'never'),
    maxPrice: wishes.maxPrice,
    onPartition: file.onPartition ?? (serves ? 'keep' : 'stop'),
    maxDurationMs: file.maxDurationMs ?? ((serves ? 365 * DAY : DAY) as DurationMs),
    maxAttempts: 1 + file.retry.max,
    maxReplicas: file.service?.replicas.max ?? 1,
    privacy: resolvePrivacy(privacy, label),
  };
}

function outsideResidency({ residency }: PrivacyWishes, label: JobLabel): Finding[] {
  if (label.residency.length === 0) return [];
  return (residency ?? []).flatMap((wish, index) => {
    if (label.residency.some((allowed) => isWithinJurisdiction(wish, allowed))) return [];
    const message = 'looser than the data allows: its owner keeps it within fewer countries';
    return [{ path: ['privacy', 'place', 'residency', index], code: 'looser-than-label', message }];
  });
}

function resolvePrivacy(wishes: PrivacyWishes, label: JobLabel): ResolvedPrivacy {
  const sensitivity = stricter(SENSITIVITIES, label.sensitivity, wishes.sensitivity ?? 'public');
  const rules = LABEL_DEFAULTS[sensitivity];
  const tiers = TIERS.filter((tier) => rules.isolation[tier] !== undefined && (wishes.tiers?.includes(tier) ?? true));
  const leaves = tiers.some((tier) => tier !== 'private');
  return {
    sensitivity,
    tiers,
    residency: wishes.residency ?? label.residency,
    isolation: resolveIsolation(wishes, rules, tiers),
    evidence: resolveEvidence(wishes, rules),
    teeOrAcceptedPlaintext: rules.teeOrAcceptedPlaintext,
    tees: wishes.tee?.require ?? [],
    gpuTee: wishes.tee?.gpu ?? false,
    egress: wishes.egress ?? [],
    logs: wishes.logs ?? rules.logs,
    burst: leaves ? (wishes.burst ?? rules.burst) : 'never',
  };
}

function resolveIsolation(wishes: PrivacyWishes, rules: LabelDefaults, tiers: readonly Tier[]): ResolvedIsolation {
  const wish = wishes.tee === undefined ? wishes.isolation : 'tee';
  const byTier = Object.fromEntries(
    tiers.map((tier) => [tier, stricter(ISOLATIONS, rules.isolation[tier] ?? 'tee', wish ?? 'process')]),
  );
  return { byTier, processOnOwnSite: rules.processOnOwnSite && (wish ?? 'process') === 'process' };
}

function resolveEvidence(wishes: PrivacyWishes, rules: LabelDefaults): ResolvedEvidence | undefined {
  const { require = [], evidenceGrade, evidenceMaxAgeDays } = wishes;
  const asked = require.length > 0 || evidenceGrade !== undefined || evidenceMaxAgeDays !== undefined;
  if (rules.evidence === undefined && !asked) return undefined;
  return {
    require,
    grade: evidenceGrade ?? rules.evidence?.grade ?? 'documented',
    issuer: rules.evidence?.issuer ?? 'any',
    maxAgeDays: evidenceMaxAgeDays ?? EVIDENCE_MAX_AGE_DAYS,
  };
}

function stricter<Word extends string>(words: readonly Word[], a: Word, b: Word): Word {
  return rank(words, a) >= rank(words, b) ? a : b;
}
