import type { AgentId, CustodianId, DeviceId, EpochMs, OrgId, ProjectId, ProviderId, SiteId } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { SealPublicKey } from '@ringfence/crypto/seal';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { Tier } from '@ringfence/protocol';
import type { DELEGATIONS, KEYRING_ROLES, KeyringChange } from '@ringfence/protocol/statements';

/** A role of a device, in the organisation or in one project. */
export interface RoleBinding {
  readonly role: (typeof KEYRING_ROLES)[number];
  readonly project?: ProjectId | undefined;
}

/** A member's device. */
export interface DeviceEntry {
  readonly id: DeviceId;
  readonly sign: SigningPublicKey;
  readonly tls: TlsPublicKey;
  readonly officer: boolean;
  readonly roles: readonly RoleBinding[];
}

/** A machine that runs jobs for the organisation. */
export interface AgentEntry {
  readonly id: AgentId;
  readonly site: SiteId;
  readonly tier: Tier;
  readonly sign: SigningPublicKey;
  readonly tls: TlsPublicKey;
  readonly seal: SealPublicKey;
  /** Its owner started it with `--allow-process`. */
  readonly allowProcess: boolean;
  /** Where it stands: countries and unions; nowhere in particular when empty. */
  readonly jurisdictions: readonly string[];
  /** Of a machine away from home: who admitted it, and for how long. */
  readonly admitted?: AgentAdmission;
}

/** By whom a provider's machine was admitted; it may start work from `from` until `until`. */
export interface AgentAdmission {
  readonly provider: ProviderId;
  readonly authority: SigningPublicKey;
  readonly admitter: SigningPublicKey;
  readonly from: EpochMs;
  /** The earlier end of admission and machine statement, or when the admitter was removed. */
  readonly until: EpochMs;
}

/** A custodian of the organisation. */
export interface CustodianEntry {
  readonly id: CustodianId;
  readonly sign: SigningPublicKey;
  readonly tls: TlsPublicKey;
  readonly seal: SealPublicKey;
}

/** Something that the root lets a custodian's enrolment key sign. */
export type DelegatedRight = (typeof DELEGATIONS)[number];

/** The root's leave for an enrolment key, from its statement until it ends; the newest of a custodian replaces the others. */
export interface Delegation {
  readonly custodian: CustodianId;
  readonly key: SigningPublicKey;
  readonly may: readonly DelegatedRight[];
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/** Whose TLS key it is. */
export type TlsOwner =
  | { readonly kind: 'device'; readonly id: DeviceId }
  | { readonly kind: 'agent'; readonly id: AgentId }
  | { readonly kind: 'custodian'; readonly id: CustodianId };

/** Whom a keyring can remove. */
export type SubjectId = DeviceId | AgentId | CustodianId | OrgId;
/** Why somebody was removed. */
export type RemovalReason = Extract<KeyringChange, { kind: 'remove' }>['reason'];

/** The keys that outrank the root when `threshold` of them act together. */
export interface RecoveryRule {
  readonly threshold: number;
  readonly keys: readonly SigningPublicKey[];
}
