import type { Sensitivity } from '@ringfence/protocol';
import { decide, type Decision } from './decision.ts';
import { meetResidency, residencyList, residencyOf, type Residency } from './residency.ts';
import { stricterSensitivity } from './strictness.ts';

/** What may be done with data; 'any' where its owner named no purpose, the empty list for nothing at all. */
export type Purposes = 'any' | readonly string[];

/** How strictly data is to be kept; a meet-semilattice under {@link meetLabels} (invariant 7). */
export interface Label {
  readonly sensitivity: Sensitivity;
  readonly residency: Residency;
  readonly purposes: Purposes;
  /** The owner signed that a provider without a TEE may see the plaintext. */
  readonly acceptProviderPlaintext: boolean;
}

/** A dataset's label as its owner set it: empty lists restrict nothing. */
export interface DatasetLabel {
  readonly sensitivity: Sensitivity;
  readonly residency: readonly string[];
  readonly purposes: readonly string[];
  /** Its purposes contradict: it may be used for nothing. */
  readonly noPurpose?: boolean | undefined;
  readonly acceptProviderPlaintext?: boolean | undefined;
}

/** What a job asks for itself; it can only make its label stricter. */
export interface LabelWish {
  readonly sensitivity?: Sensitivity | undefined;
  readonly residency?: readonly string[] | undefined;
  /** What the job is for; data whose owner named purposes is refused without one. */
  readonly purpose?: string | undefined;
}

/** Why no label can be given. */
export type LabelReason = 'residency-contradiction' | 'purpose-missing' | 'purpose-not-allowed';

/** A label as statements carry it: an empty residency is anywhere. */
export interface ComputedLabel {
  readonly sensitivity: Sensitivity;
  readonly residency: readonly string[];
  readonly acceptProviderPlaintext: boolean;
  /** What the job may be for; empty where no owner named a purpose. */
  readonly purposes: readonly string[];
}

/** What a job that mounts nothing and wishes nothing is labelled: its code is its owner's own. */
const DEFAULT_SENSITIVITY: Sensitivity = 'internal';

/** The label of what is made from both `a` and `b`: never looser than either; commutative, associative, idempotent. */
export function meetLabels(a: Label, b: Label): Label {
  return {
    sensitivity: stricterSensitivity(a.sensitivity, b.sensitivity),
    residency: meetResidency(a.residency, b.residency),
    purposes: meetPurposes(a.purposes, b.purposes),
    acceptProviderPlaintext: a.acceptProviderPlaintext && b.acceptProviderPlaintext,
  };
}

/** The label that a dataset's row says. */
export function labelOf(dataset: DatasetLabel): Label {
  return {
    sensitivity: dataset.sensitivity,
    residency: residencyOf(dataset.residency),
    purposes: purposesOf(dataset),
    acceptProviderPlaintext: dataset.acceptProviderPlaintext === true,
  };
}

function purposesOf({ purposes, noPurpose }: DatasetLabel): Purposes {
  if (noPurpose === true) return [];
  return purposes.length === 0 ? 'any' : [...new Set(purposes)].toSorted();
}

/**
 * The label of a job: the strictest of its own wish and of everything that it mounts (invariant 7). Refused when no place
 * satisfies all residencies, or when the job's purpose is not one that every owner named.
 */
export function strictestLabel(
  wish: LabelWish,
  datasets: readonly DatasetLabel[],
): Decision<LabelReason, { readonly label: ComputedLabel }> {
  const data = datasets.map(labelOf);
  const label = data.reduce(meetLabels, ownLabel(wish, data));
  const residency = residencyList(label.residency);
  const reasons: LabelReason[] = residency === undefined ? ['residency-contradiction'] : [];
  reasons.push(...purposeReasons(wish.purpose, label.purposes));
  return decide(reasons, {
    label: {
      sensitivity: label.sensitivity,
      residency: residency ?? [],
      acceptProviderPlaintext: label.acceptProviderPlaintext,
      purposes: label.purposes === 'any' ? [] : label.purposes,
    },
  });
}

function ownLabel(wish: LabelWish, data: readonly Label[]): Label {
  return {
    sensitivity: wish.sensitivity ?? data[0]?.sensitivity ?? DEFAULT_SENSITIVITY,
    residency: residencyOf(wish.residency ?? []),
    purposes: 'any',
    acceptProviderPlaintext: data.length > 0,
  };
}

function purposeReasons(purpose: string | undefined, allowed: Purposes): LabelReason[] {
  if (allowed === 'any') return [];
  if (purpose === undefined) return ['purpose-missing'];
  return allowed.includes(purpose) ? [] : ['purpose-not-allowed'];
}

function meetPurposes(a: Purposes, b: Purposes): Purposes {
  if (a === 'any') return b;
  if (b === 'any') return a;
  return a.filter((purpose) => b.includes(purpose));
}
