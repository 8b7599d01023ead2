import type { AgentId, ArtifactId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { FederationRole, Workload } from '@ringfence/protocol/payload';
import type { Contract, ContractCode } from '@ringfence/protocol/statements';

/** Why a job is not what its contract says. */
export const FEDERATION_FAULTS = [
  'purpose',
  'mounts',
  'dataset',
  'dataset-version',
  'agent',
  'outputs',
  'recipient',
  'run',
  'setup',
  'image',
  'python',
  'code',
  'env',
  'secrets',
  'egress',
  'checkpoint',
  'service',
] as const;
/** One of {@link FEDERATION_FAULTS}. */
export type FederationFault = (typeof FEDERATION_FAULTS)[number];

/** What of a `federate` job its contract decides on. */
export interface FederatedStart {
  readonly org: OrgId;
  readonly role: FederationRole;
  readonly workload: Omit<Workload, 'code'>;
  /** Digest of its code's plain files; undefined where it brings none. */
  readonly code: Digest | undefined;
  /** What it mounts. */
  readonly data: readonly {
    readonly artifact: ArtifactId;
    readonly version: number;
    readonly manifest: Digest;
  }[];
  /** Who would run it; undefined before it is placed. */
  readonly agent: AgentId | undefined;
}

type Holds = Readonly<Partial<Record<FederationFault, boolean>>>;

/** Everything of a job that is not as its contract says, each by its name. */
export function federationFaults(contract: Contract, start: FederatedStart): FederationFault[] {
  const { workload } = start;
  const holds: Holds = {
    purpose: workload.purpose === contract.purpose,
    env: Object.keys(workload.env).length === 0,
    secrets: workload.secrets.length === 0 && workload.secretFiles === undefined && workload.identity === undefined,
    egress: workload.egress === undefined,
    checkpoint: workload.checkpoint === undefined,
    service: workload.service === undefined,
    ...(start.role === 'aggregator' ? ofAggregator(contract, start) : ofClient(contract, start)),
  };
  return FEDERATION_FAULTS.filter((fault) => holds[fault] === false);
}

/** It runs no code and reads no data. */
function ofAggregator({ aggregator }: Contract, { org, agent, workload, code }: FederatedStart): Holds {
  return {
    agent: aggregator.org === org && (agent === undefined || aggregator.agent === agent),
    mounts: workload.mounts.length === 0,
    outputs: workload.outputs.length === 0,
    ...sameCode(undefined, workload, code),
  };
}

function ofClient(contract: Contract, { org, agent, workload, code, data }: FederatedStart): Holds {
  const [mounted] = data;
  const client = contract.clients.find(({ org: of, dataset }) => of === org && dataset.artifact === mounted?.artifact);
  return {
    mounts: workload.mounts.length === 1 && data.length === 1,
    dataset: client !== undefined,
    'dataset-version':
      client === undefined ||
      (client.dataset.version === mounted?.version && client.dataset.manifest === mounted.manifest),
    agent: client === undefined || agent === undefined || client.agent === agent,
    outputs: workload.outputs.length <= 1,
    recipient: workload.outputs.length === 0 || contract.outputs.some(({ recipients }) => recipients.includes(org)),
    ...sameCode(contract.code.kind === 'own' ? contract.code : undefined, workload, code),
  };
}

/** Nothing of its own where `agreed` is undefined, else exactly what was agreed. */
function sameCode(
  agreed: Extract<ContractCode, { kind: 'own' }> | undefined,
  { run, setup, image, python }: Pick<Workload, 'run' | 'setup' | 'image' | 'python'>,
  code: Digest | undefined,
): Holds {
  return {
    run: run === agreed?.run,
    setup: setup === agreed?.setup,
    image: image === agreed?.image,
    python: python === agreed?.python,
    code: code === agreed?.digest,
  };
}
