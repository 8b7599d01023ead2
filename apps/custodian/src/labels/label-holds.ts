import { canonicalJson } from '@ringfence/base';
import { strictestLabel, type DatasetLabel } from '@ringfence/policy';
import type { LabelStatement } from '@ringfence/protocol/statements';

/** Whether a signed label is still as strict as the data that the job mounts demands, and its purpose still allowed. */
export function labelHolds(
  { sensitivity, residency, acceptProviderPlaintext }: LabelStatement,
  purpose: string | undefined,
  data: readonly DatasetLabel[],
): boolean {
  const decision = strictestLabel({ sensitivity, residency, purpose }, data);
  if (!decision.allow) return false;
  const { label } = decision;
  const sameResidency = canonicalJson(label.residency) === canonicalJson(residency);
  const plaintext = acceptProviderPlaintext !== true || label.acceptProviderPlaintext;
  return label.sensitivity === sensitivity && sameResidency && plaintext;
}
