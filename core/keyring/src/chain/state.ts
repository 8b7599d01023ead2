import type { AgentId, CustodianId, DeviceId, EpochMs, OrgId, ProviderId, SiteId } from '@ringfence/base';
import type { Digest, SigningPublicKey } from '@ringfence/crypto/sign';
import type { Tier } from '@ringfence/protocol';
import type { KeyringStatement } from '@ringfence/protocol/statements';
import type {
  AgentEntry,
  CustodianEntry,
  Delegation,
  DeviceEntry,
  RecoveryRule,
  RemovalReason,
  SubjectId,
  TlsOwner,
} from './entries.ts';

/** Where a keyring ends. */
export interface KeyringPoint {
  readonly seq: number;
  readonly digest: Digest;
  readonly at: EpochMs;
}

/** What the statements that count add up to; replayed from {@link KeyringState.history} when recovery voids some. */
export interface Membership {
  root: SigningPublicKey;
  recovery: RecoveryRule;
  /** Every root that the chain had, the newest last. */
  readonly roots: SigningPublicKey[];
  readonly devices: Map<DeviceId, DeviceEntry>;
  readonly officers: Set<DeviceId>;
  readonly agents: Map<AgentId, AgentEntry>;
  readonly custodians: Map<CustodianId, CustodianEntry>;
  readonly delegations: Delegation[];
  readonly peers: Map<OrgId, SigningPublicKey>;
  readonly admitters: Map<SigningPublicKey, Tier>;
  readonly evidenceIssuers: Map<SigningPublicKey, readonly string[]>;
  readonly tlsOwners: Map<string, TlsOwner>;
  readonly removed: Map<SubjectId, RemovalReason>;
}

/** A key that vouches for the machines of a provider in one tier. */
export interface ProviderAuthority {
  readonly key: SigningPublicKey;
  readonly provider: ProviderId;
  readonly tier: Tier;
}

/** A keyring while it is folded; owned by one fold at a time. */
export interface KeyringState {
  readonly org: OrgId;
  head: KeyringPoint;
  membership: Membership;
  /** Every id and every key that was ever named, void statements included: none is ever given to somebody else. */
  readonly burntIds: Set<string>;
  readonly burntKeys: Map<string, string>;
  /** For whom and which tier an authority key speaks, void statements included: it never speaks for another. */
  readonly authorities: Map<SigningPublicKey, ProviderAuthority>;
  /** Whose machines stand at a site, undefined for the organisation's own; void statements included: a site never becomes another's. */
  readonly sites: Map<SiteId, ProviderId | undefined>;
  /** The statements that count, oldest first. */
  history: KeyringStatement[];
}

/** The membership before the first statement. */
export function emptyMembership(root: SigningPublicKey, recovery: RecoveryRule): Membership {
  return {
    root,
    recovery,
    roots: [],
    devices: new Map(),
    officers: new Set(),
    agents: new Map(),
    custodians: new Map(),
    delegations: [],
    peers: new Map(),
    admitters: new Map(),
    evidenceIssuers: new Map(),
    tlsOwners: new Map(),
    removed: new Map(),
  };
}

/** A copy that can be changed without touching `state`. */
export function copyState(state: KeyringState): KeyringState {
  const { membership } = state;
  return {
    ...state,
    membership: {
      ...membership,
      roots: [...membership.roots],
      devices: new Map(membership.devices),
      officers: new Set(membership.officers),
      agents: new Map(membership.agents),
      custodians: new Map(membership.custodians),
      delegations: [...membership.delegations],
      peers: new Map(membership.peers),
      admitters: new Map(membership.admitters),
      evidenceIssuers: new Map(membership.evidenceIssuers),
      tlsOwners: new Map(membership.tlsOwners),
      removed: new Map(membership.removed),
    },
    burntIds: new Set(state.burntIds),
    burntKeys: new Map(state.burntKeys),
    authorities: new Map(state.authorities),
    sites: new Map(state.sites),
    history: [...state.history],
  };
}
