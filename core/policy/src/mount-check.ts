import { decide, type Decision } from './decision.ts';
import { labelOf, type DatasetLabel } from './label.ts';
import { residencyCovers } from './residency.ts';

/** Why a job may not be given data at a place. */
export const MOUNT_REASONS = ['purpose-missing', 'purpose-not-allowed', 'residency', 'other-site'] as const;
export type MountReason = (typeof MOUNT_REASONS)[number];

/** For what, and where, a job wants data. */
export interface WantedMount {
  readonly purpose: string | undefined;
  /** Of the machine, by the keyring. */
  readonly jurisdictions: readonly string[];
  /** Whether it stands where data lies that is not copied. */
  readonly atItsSite: boolean;
}

/** Whether one version of a dataset or result may be mounted for this purpose at this place (invariant 7). */
export function checkMount(
  data: DatasetLabel,
  { purpose, jurisdictions, atItsSite }: WantedMount,
): Decision<MountReason> {
  const { purposes, residency } = labelOf(data);
  const reasons: MountReason[] = [];
  if (purposes !== 'any' && purpose === undefined) reasons.push('purpose-missing');
  if (purposes !== 'any' && purpose !== undefined && !purposes.includes(purpose)) reasons.push('purpose-not-allowed');
  if (!residencyCovers(residency, jurisdictions)) reasons.push('residency');
  if (!atItsSite) reasons.push('other-site');
  return decide(reasons, {});
}
