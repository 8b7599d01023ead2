import { epochMs, newId, systemRng, type DeviceId, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { ControlPlaneClient } from '@ringfence/client/api';
import { sha256Hex, statementDigest } from '@ringfence/crypto/sign';
import { placementDigest, signStatement } from '@ringfence/keyring';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { keyOf, type Member, type Organisation } from '../control-plane/organisation.ts';
import { WORKLOADS, type Workload, type WorkloadClass } from './workloads.ts';

const HOUR = 3_600_000;
/** The shortest longest run that a job can state. */
const LONGEST_MS = 1_000;

/** A workload as a job that its owner signed. */
export type SignedWorkload = Workload & {
  readonly job: JobId;
  readonly submission: Parameters<ControlPlaneClient['submit']>[0];
};

/** Signs a workload as a job of `device`. */
export function signedWorkload(of: Organisation, device: Member<DeviceId>, workload: Workload): SignedWorkload {
  const job = newId('job', systemRng);
  const at = systemClock.now();
  const notAfter = epochMs(at + HOUR);
  const placement = placementOf(workload.class);
  const { org } = of;
  const label = signStatement(
    'label',
    { v: 1, org, job, custodian: of.custodian.id, sensitivity: 'internal', residency: [], at, notAfter },
    [keyOf(of.enrolmentSeed)],
  );
  const body = {
    v: 1,
    org,
    project: newId('project', systemRng),
    job,
    device: device.id,
    type: placement.type,
    at,
    expires: notAfter,
    maxAttempts: 1,
    replicas: 1,
    constraintDigest: placementDigest(placement),
    payloadDigest: sha256Hex(systemRng.bytes(32)),
    labelDigest: statementDigest(label),
  } as const;
  return { ...workload, job, submission: { job: signStatement('job', body, [keyOf(device.seed)]), label, placement } };
}

function placementOf(name: WorkloadClass): PlacementPart {
  const { units, priority } = WORKLOADS[name];
  const resources = { cpuMilli: units * 1_000, memoryBytes: 16_000_000, diskBytes: 0, hardLimits: false };
  return { ...SAMPLE_PLACEMENT, resources, priority, maxDurationMs: LONGEST_MS };
}
