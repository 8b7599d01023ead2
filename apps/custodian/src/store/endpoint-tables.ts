import type { AgentId, DeviceId, EndpointId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Sensitivity } from '@ringfence/protocol';
import type { TokenLimits } from '@ringfence/protocol/payload';
import type { ColumnType, Generated } from 'kysely';

/** What callers know by one name. */
export interface EndpointTable {
  endpoint: EndpointId;
  org: OrgId;
  /** Its id once it was removed, so that the name is free. */
  name_index: string;
  name_box: Uint8Array;
  made_at: number;
  /** Replicas that a person asked for; null: the autoscaler decides. */
  manual: number | null;
  removed: Generated<boolean>;
}

/** One launch of an endpoint. */
export interface EndpointRevisionTable {
  endpoint: EndpointId;
  revision: number;
  org: OrgId;
  state: 'coming' | 'current' | 'going' | 'gone';
  service_box: Uint8Array;
  sensitivity: Sensitivity;
  made_at: number;
}

/** One replica's job. */
export interface EndpointSlotTable {
  job: JobId;
  org: OrgId;
  endpoint: EndpointId;
  revision: number;
  slot: number;
  wanted: boolean;
  /** What the control plane was told last. */
  told: 'wanted' | 'parked' | 'final' | null;
  /** The attempt that the agent spoke of last, and what it said. */
  attempt: number | null;
  state: 'ready' | 'draining' | 'gone' | null;
}

/** What one caller may do; the token itself is known to its holder alone. */
export interface EndpointTokenTable {
  digest: Digest;
  org: OrgId;
  endpoint: EndpointId;
  name_index: string;
  name_box: Uint8Array;
  made_at: number;
  expires_at: number;
  limits: ColumnType<TokenLimits, string, string>;
  /** Null for those of earlier releases. */
  minted_by: DeviceId | null;
}

/** An agent that may be a gateway. */
export interface GatewayTable {
  agent: AgentId;
  org: OrgId;
  allowed_at: number;
}

/** An authority of gateways' certificates. */
export interface EndpointIssuerTable {
  serial: number;
  org: OrgId;
  certificate: string;
  key_box: Uint8Array;
  issues_from: number;
}

/** The tables of migration 2. */
export interface EndpointTables {
  endpoint: EndpointTable;
  endpoint_revision: EndpointRevisionTable;
  endpoint_slot: EndpointSlotTable;
  endpoint_token: EndpointTokenTable;
  gateway: GatewayTable;
  endpoint_issuer: EndpointIssuerTable;
}
