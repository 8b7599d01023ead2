import type { DeviceId, OrgId, ProjectId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { ColumnType, Generated } from 'kysely';

/** A key-encryption key of a project, wrapped by the organisation's. */
export interface ProjectKekTable {
  org: OrgId;
  project: ProjectId;
  version: number;
  /** The name of the provider that wrapped it, and how that one calls the version that it did so with. */
  provider: string;
  key_version: string;
  /** Null once it is destroyed. */
  box: Uint8Array | null;
  state: 'current' | 'retiring' | 'destroyed';
  made_at: number;
  destroyed_at: number | null;
}

/** How far wrapping data keys again is. */
export interface KeyRotationTable {
  org: OrgId;
  project: ProjectId;
  /** The project's key that all are to lie under. */
  version: number;
  cause: 'upgraded' | 'rotated' | 'imported' | 'moved';
  started_at: number;
  rows_total: number;
  rows_done: Generated<number>;
  /** Position in the list of tables, and the page of that one which comes next. */
  at_table: Generated<number>;
  at_page: Generated<number>;
  finished_at: number | null;
}

/** What is crypto-shredded. */
export interface TombstoneTable {
  org: OrgId;
  kind: 'project' | 'organisation';
  project: ProjectId;
  /** Whose device ordered it. */
  device: DeviceId;
  at: number;
  /** Versions of projects' keys that were destroyed, and data keys that lay under them. */
  project_keys: number;
  data_keys: number;
  /** The signed word; null until the organisation's key is dealt with. */
  envelope: ColumnType<Envelope | null, null, string>;
}

/** What the hierarchy of keys keeps. */
export interface KeyTables {
  project_kek: ProjectKekTable;
  key_rotation: KeyRotationTable;
  tombstone: TombstoneTable;
}
