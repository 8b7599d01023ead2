import type { OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';

/** One version of a profile, or of the organisation's policy. */
export interface SignedRuleTable {
  org: OrgId;
  kind: 'profile' | 'policy';
  /** Of a profile: by what its name is found. */
  name_index: string;
  seq: number;
  digest: Digest;
  /** The statement as it was signed. */
  document_box: Uint8Array;
  at: number;
}

/** Tables of what officers sign. */
export interface RuleTables {
  signed_rule: SignedRuleTable;
}
