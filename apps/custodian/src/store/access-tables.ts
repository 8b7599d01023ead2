import type { DeviceId, MemberId, OrgId, ProposalId, TotpId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Proposal } from '@ringfence/policy/assurance';
import type { ColumnType, Generated } from 'kysely';

/** A person of the organisation. */
export interface MemberTable {
  member: MemberId;
  org: OrgId;
  name_box: Uint8Array | null;
  made_at: number;
  tries: Generated<number>;
  try_after: Generated<number>;
}

/** Whose a device is. */
export interface MemberDeviceTable {
  device: DeviceId;
  org: OrgId;
  member: MemberId;
}

/** A member's authenticator; one that is confirmed at the most, and one that is begun. */
export interface TotpTable {
  totp: TotpId;
  org: OrgId;
  member: MemberId;
  secret_box: Uint8Array;
  last_step: number;
  made_at: number;
  confirmed_at: number | null;
  removed_at: number | null;
}

/** The digest of a recovery code. */
export interface RecoveryCodeTable {
  member: MemberId;
  digest: string;
  org: OrgId;
  made_at: number;
  spent_at: number | null;
}

/** The newest factor of each kind that was given at a device. */
export interface GivenFactorTable {
  device: DeviceId;
  kind: 'totp' | 'recovery-code';
  org: OrgId;
  at: number;
}

/** Something that takes two people. */
export interface ProposalTable {
  proposal: ProposalId;
  org: OrgId;
  kind: 'keyring' | 'policy' | 'privacy-budget';
  digest: Digest;
  device: DeviceId;
  /** The statement as it was signed. */
  statement_box: Uint8Array;
  state: ColumnType<Proposal, string, string>;
  open: boolean;
  outcome: 'done' | 'objected' | 'expired' | 'failed' | null;
  term: number;
  made_at: number;
}

/** Tables of members, what they show, and what takes two of them. */
export interface AccessTables {
  member: MemberTable;
  member_device: MemberDeviceTable;
  totp: TotpTable;
  recovery_code: RecoveryCodeTable;
  given_factor: GivenFactorTable;
  proposal: ProposalTable;
}
