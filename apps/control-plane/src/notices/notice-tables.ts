import type { MemberId, OrgId } from '@ringfence/base';
import type { KeptNotice } from '@ringfence/protocol/api';
import type { ColumnType } from 'kysely';

/** What a member is told of an entry of the ledger. */
export interface NoticeTable {
  org: OrgId;
  /** The entry's place in the ledger. */
  seq: number;
  member: MemberId;
  at: number;
  about: ColumnType<KeptNotice, string, never>;
}

/** The table that notices add. */
export interface NoticeTables {
  notice: NoticeTable;
}
