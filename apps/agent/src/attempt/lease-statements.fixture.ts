import type { EpochMs, newId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { statementDigest, type Envelope, type SigningKey } from '@ringfence/crypto/sign';
import { placementDigest, signStatement, workloadDigest } from '@ringfence/keyring';
import type { Workload } from '@ringfence/protocol/payload';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { ArrivedLease } from './attempt-work.ts';
import { IDS, KEYS, PLACEMENT, WORKLOAD } from './members.fixture.ts';

const HOUR = 3_600_000;
type JobId = ReturnType<typeof newId<'job'>>;

/** How a lease differs from a good one. */
export interface LeaseChange {
  readonly job?: ReturnType<typeof newId<'job'>>;
  readonly attempt?: number;
  readonly leaseKey?: SigningKey;
  readonly deviceKey?: SigningKey;
  readonly labelKey?: SigningKey;
  readonly keysRoot?: SigningKey;
  readonly agent?: typeof IDS.agent;
  readonly placementSent?: (placement: PlacementPart) => PlacementPart;
  readonly leasedJob?: Envelope;
  /** Another job than the usual one. */
  readonly workload?: Workload;
  /** Where placement and label let the job run; anywhere when absent. */
  readonly residency?: readonly string[];
  /** What the label names. */
  readonly profile?: Envelope;
  /** What is asked for about the site. */
  readonly evidence?: PlacementPart['evidence'];
}

/** The statements of a lease, good but for `change`. */
export function leasedAs(job: JobId, change: LeaseChange): ArrivedLease {
  const { label, order } = orderOf(job, change);
  const ordered = placementOf(change);
  const leaseKey = change.leaseKey ?? KEYS.leases;
  const { at, notAfter } = times();
  const agent = change.agent ?? IDS.agent;
  const { org, controlPlane, offer } = IDS;
  const common = {
    v: 1,
    org,
    job,
    attempt: change.attempt ?? 1,
    controlPlane,
    jobDigest: statementDigest(order),
    at,
  } as const;
  const receipt = signStatement(
    'receipt',
    {
      ...common,
      constraintDigest: placementDigest(ordered),
      labelDigest: statementDigest(label),
      inventoryEpoch: 1,
      considered: 1,
      refused: [],
      chosen: { offer, agent, tier: 'private', isolation: ordered.isolation },
    },
    [leaseKey],
  );
  const receiptDigest = statementDigest(receipt);
  const lease = signStatement('lease', { ...common, agent, receiptDigest, term: 1, ttlMs: 30_000, notAfter }, [
    leaseKey,
  ]);
  const placement = change.placementSent?.(ordered) ?? ordered;
  // Only another root would vouch for another key.
  const root = change.keysRoot ?? KEYS.controlRoot;
  const controlPlaneKeys = keysOf(root, change.keysRoot === undefined ? KEYS.leases : leaseKey);
  return {
    start: { job: change.leasedJob ?? order, label, placement, receipt, lease },
    controlPlaneKeys,
    at: clock.monotonic(),
  };
}

/** Where a workload may run: as it says itself, else as the usual one. */
function placementOf({ workload = WORKLOAD, residency = [], evidence }: LeaseChange): PlacementPart {
  const { resources, isolation, maxDurationMs } = workload;
  const asked = evidence === undefined ? {} : { evidence };
  return { ...PLACEMENT, ...asked, residency: [...residency], resources, isolation, maxDurationMs };
}

function orderOf(job: JobId, change: LeaseChange): { label: Envelope; order: Envelope } {
  const { org, project, custodian, device } = IDS;
  const workload = change.workload ?? WORKLOAD;
  const { at, notAfter } = times();
  const labelBody = {
    v: 1,
    org,
    job,
    custodian,
    sensitivity: 'internal' as const,
    ...(change.profile === undefined ? {} : { profile: statementDigest(change.profile) }),
    at,
    notAfter,
  } as const;
  const label = signStatement('label', { ...labelBody, residency: [...(change.residency ?? [])] }, [
    change.labelKey ?? KEYS.enrolment,
  ]);
  const terms = { at, expires: notAfter, maxAttempts: 5, replicas: 1 } as const;
  const body = {
    ...terms,
    org,
    project,
    job,
    device,
    constraintDigest: placementDigest(placementOf(change)),
    payloadDigest: workloadDigest(workload),
    labelDigest: statementDigest(label),
  } as const;
  return { label, order: signStatement('job', { ...body, v: 1, type: 'train' }, [change.deviceKey ?? KEYS.device]) };
}

function keysOf(root: SigningKey, leases: SigningKey): Envelope {
  const { publicKey } = leases;
  const body = {
    v: 1,
    controlPlane: IDS.controlPlane,
    root: root.publicKey,
    frames: publicKey,
    leases: publicKey,
  } as const;
  return signStatement('control-plane-keys', { ...body, ...times() }, [root]);
}

function times(): { at: EpochMs; notAfter: EpochMs } {
  const now = clock.now();
  return { at: (now - 1_000) as EpochMs, notAfter: (now + HOUR) as EpochMs };
}
