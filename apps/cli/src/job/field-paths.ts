import type { Loosening, ProfileField } from '@ringfence/policy';

/** Where a job file says what labels and profiles speak of. */
export const FIELD_PATHS: Readonly<Record<Loosening['field'] | ProfileField, string>> = {
  sensitivity: 'privacy.sensitivity',
  tiers: 'privacy.place.tiers',
  residency: 'privacy.place.residency',
  residencyDeny: 'privacy.place.residency_deny',
  evidence: 'privacy.place',
  isolation: 'privacy.isolation',
  egress: 'privacy.egress',
  burst: 'privacy.burst',
  customerKey: 'privacy.customer_key',
  logs: 'privacy.logs',
  spot: 'resources.spot',
  maxPrice: 'resources.max_price',
  budget: 'budget',
  maxDurationMs: 'max_duration',
};
