import type {
  AccountKeyId,
  CeremonyId,
  DeviceId,
  EpochMs,
  FederationId,
  InvitationId,
  MemberId,
  OrgId,
  ServiceAccountId,
  SessionId,
  SsoProviderId,
  TotpId,
} from '@ringfence/base';
import type { Digest, SigningPublicKey } from '@ringfence/crypto/sign';
import type { Role } from '@ringfence/policy/authorise';
import type { Factor } from '@ringfence/policy/assurance';
import type { RecoveryCodeDigest } from '@ringfence/policy/second-factors';
import type { ColumnType, Generated } from 'kysely';

type Json<T> = ColumnType<T, string, string>;

/** A person of an organisation, by a random id and a drawn name. */
export interface MemberTable {
  member: MemberId;
  org: OrgId;
  state: 'invited' | 'active' | 'gone';
  sign_in_name: string;
  roles: Json<readonly Role[]>;
  made_at: number;
  recovery_set: string | null;
}

/** Whose a device is, as its first step-up told. */
export interface MemberDeviceTable {
  device: DeviceId;
  org: OrgId;
  member: MemberId;
  at: number;
}

export interface PasswordTable {
  member: MemberId;
  org: OrgId;
  /** argon2id, in PHC's form. */
  hash: string;
  changed_at: number;
}

export interface PasskeyTable {
  /** Base64url, as WebAuthn writes it. */
  credential: string;
  org: OrgId;
  member: MemberId;
  /** COSE. */
  public_key: Uint8Array;
  sign_count: number;
  may_be_copied: boolean;
  aaguid: string;
  added_at: number;
  used_at: Generated<number | null>;
  suspended_at: Generated<number | null>;
}

export interface TotpTable {
  totp: TotpId;
  org: OrgId;
  member: MemberId;
  secret_box: Uint8Array;
  last_step: number;
  made_at: number;
  confirmed_at: Generated<number | null>;
  removed_at: Generated<number | null>;
}

export interface RecoveryCodeTable {
  member: MemberId;
  digest: RecoveryCodeDigest;
  org: OrgId;
  set_id: string;
  made_at: number;
  spent_at: Generated<number | null>;
}

export interface SsoProviderTable {
  provider: SsoProviderId;
  org: OrgId;
  issuer: string;
  client_id: string;
  /** The client's secret; null for a public client. */
  secret_box: Uint8Array | null;
  algorithms: Json<readonly string[]>;
  assures: 1 | 2;
  acr: string | null;
  made_at: number;
  removed_at: Generated<number | null>;
}

export interface SsoIdentityTable {
  provider: SsoProviderId;
  subject_digest: Digest;
  org: OrgId;
  member: MemberId;
  linked_at: number;
}

export interface InvitationTable {
  invitation: InvitationId;
  org: OrgId;
  member: MemberId;
  secret_digest: Digest;
  made_at: number;
  expires_at: number;
  spent_at: Generated<number | null>;
}

/** A browser that signed in; `public_key` is of a key that it cannot export. */
export interface SessionTable {
  session: SessionId;
  org: OrgId;
  member: MemberId;
  token_digest: Digest;
  public_key: SigningPublicKey;
  made_at: number;
  seen_at: number;
  ends_at: number;
  ended_at: Generated<number | null>;
}

/** Whoever gave a factor: a browser's session, or a device. */
export type FactorHolder = SessionId | DeviceId;

/** A challenge that one browser was given; spent by the statement that takes its answer. */
export interface CeremonyTable {
  ceremony: CeremonyId;
  org: OrgId | null;
  kind: 'passkey-enrol' | 'passkey-sign-in' | 'passkey-step-up' | 'sso';
  member: MemberId | null;
  holder: FactorHolder | null;
  challenge: string;
  browser_digest: Digest;
  for_digest: Digest | null;
  provider: SsoProviderId | null;
  secret_box: Uint8Array | null;
  made_at: number;
  expires_at: number;
  spent_at: Generated<number | null>;
}

/** What beside its kind and time counts of a factor. */
export interface FactorTraits {
  readonly userVerified?: boolean | undefined;
  readonly mayBeCopied?: boolean | undefined;
  readonly assures?: 1 | 2 | undefined;
  /** When the passkey that was given was enrolled; not there for one that was enrolled by giving it. */
  readonly addedAt?: EpochMs | undefined;
  /** What a passkey's challenge was of, where it was given for one thing alone. */
  readonly forDigest?: Digest | undefined;
}

export interface GivenFactorTable {
  holder: FactorHolder;
  kind: Exclude<Factor['kind'], 'device-key' | 'hardware-key' | 'federated'>;
  org: OrgId;
  member: MemberId;
  at: number;
  traits: Json<FactorTraits>;
}

export interface ServiceAccountTable {
  account: ServiceAccountId;
  org: OrgId;
  roles: Json<readonly Role[]>;
  made_at: number;
  removed_at: Generated<number | null>;
}

export interface FederationTable {
  federation: FederationId;
  org: OrgId;
  account: ServiceAccountId;
  issuer: string;
  audience: string;
  subject: string;
  made_at: number;
  removed_at: Generated<number | null>;
}

export interface AccountKeyTable {
  key: AccountKeyId;
  org: OrgId;
  account: ServiceAccountId;
  public_key: SigningPublicKey;
  made_at: number;
  ends_at: number;
  federation: FederationId | null;
  removed_at: Generated<number | null>;
}

export interface SpentTokenTable {
  issuer: string;
  token_digest: Digest;
  org: OrgId;
  expires_at: number;
}

/** Tries of a name that were not yet right; `until_at`: none counts before. */
export interface WrongTryTable {
  bucket: string;
  tries: number;
  until_at: number;
  /** Tries before the last day without one: they count for no wait. */
  earlier: Generated<number>;
  /** One factor of one of them was right. */
  half_right: Generated<boolean>;
}

/** The tables of who asks. */
export interface IdentityTables {
  member: MemberTable;
  member_device: MemberDeviceTable;
  password: PasswordTable;
  passkey: PasskeyTable;
  totp: TotpTable;
  recovery_code: RecoveryCodeTable;
  sso_provider: SsoProviderTable;
  sso_identity: SsoIdentityTable;
  invitation: InvitationTable;
  session: SessionTable;
  ceremony: CeremonyTable;
  given_factor: GivenFactorTable;
  service_account: ServiceAccountTable;
  federation: FederationTable;
  account_key: AccountKeyTable;
  spent_token: SpentTokenTable;
  wrong_try: WrongTryTable;
}
