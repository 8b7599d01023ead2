import type { OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';

/** A contract that a device of this organisation has signed, with all signatures and keyrings that came since. */
export interface ContractTable {
  org: OrgId;
  contract: Digest;
  file_box: Uint8Array;
  at: number;
}

/** A party's word that it takes part no longer. */
export interface ContractWithdrawalTable {
  org: OrgId;
  contract: Digest;
  party: OrgId;
  statement_box: Uint8Array;
  at: number;
}

/** What people here call another organisation. */
export interface PeerNameTable {
  org: OrgId;
  peer: OrgId;
  name_box: Uint8Array;
}

/** Tables of what is agreed with other organisations. */
export interface ContractTables {
  contract: ContractTable;
  contract_withdrawal: ContractWithdrawalTable;
  peer_name: PeerNameTable;
}
