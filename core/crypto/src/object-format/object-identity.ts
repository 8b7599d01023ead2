import { canonicalBytes, type OrgId, type ProjectId } from '@ringfence/base';
import { sha256 } from '../digest.ts';

/** Which object sealed bytes belong to; bytes of one never open as another. */
export interface ObjectIdentity {
  readonly org: OrgId;
  readonly project: ProjectId;
  /** Names the object within its project: an artifact's id, a chunk's id. */
  readonly object: string;
  /** Counts from 1. */
  readonly version: number;
}

/** SHA-256 of the canonical JSON of the four fields. */
export function identityHash({ org, project, object, version }: ObjectIdentity): Uint8Array {
  return sha256(canonicalBytes({ object, org, project, version }));
}
