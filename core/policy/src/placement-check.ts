import type { PlacementPart } from '@ringfence/protocol/statements';
import type { Workload } from '@ringfence/protocol/payload';
import { canonicalJson } from '@ringfence/base';
import { logLoosening } from './constraints.ts';
import { decide, type Decision } from './decision.ts';
import { loosenings, type Loosening, type PlacementLabel } from './placement-limits.ts';

/** A part of a sealed workload that says something else than the placement that was signed beside it. */
export type WorkloadReason =
  | 'resources-differ'
  | 'isolation-differs'
  | 'duration-differs'
  | 'egress-differs'
  | 'logs-leave';

/** Whether a placement is at least as strict as its label; custodian and agent ask again what the client asked first. */
export function checkPlacement(placement: PlacementPart, label: PlacementLabel): Decision<Loosening> {
  return decide(loosenings(placement, label), {});
}

/** Whether an opened workload agrees with the placement that control plane, custodian and agent decided by. */
export function checkWorkload(
  workload: Pick<Workload, 'resources' | 'isolation' | 'maxDurationMs' | 'egress' | 'logs'>,
  placement: PlacementPart,
  label: PlacementLabel,
): Decision<WorkloadReason> {
  const reasons: WorkloadReason[] = [];
  if (canonicalJson(workload.resources) !== canonicalJson(placement.resources)) reasons.push('resources-differ');
  if (workload.isolation !== placement.isolation) reasons.push('isolation-differs');
  if (workload.maxDurationMs !== placement.maxDurationMs) reasons.push('duration-differs');
  // The label decided by the placement: a list that it does not know of would be a way out that nobody allowed.
  if ((workload.egress === undefined) !== (placement.egress === 'none')) reasons.push('egress-differs');
  if (logLoosening(workload.logs, label).length > 0) reasons.push('logs-leave');
  return decide(reasons, {});
}
