import { canonicalJson, concatBytes, utf8, type JobId, type OrgId } from '@ringfence/base';

/**
 * What a sealed message is for. It goes into the key derivation, so that a message opens only for the purpose,
 * organisation, job and attempt that it was sealed for.
 */
export type SealInfo =
  | { readonly purpose: 'workload'; readonly org: OrgId; readonly job: JobId }
  | { readonly purpose: 'grant'; readonly org: OrgId; readonly job: JobId; readonly attempt: number }
  /** A key-encryption key on its way to the custodian. */
  | { readonly purpose: 'kek'; readonly org: OrgId };

const DOMAIN = utf8('ringfence/seal/v1\0');

/** HPKE's `info` of a purpose: a domain tag and the canonical JSON of its fields. */
export function sealInfoBytes(info: SealInfo): Uint8Array {
  return concatBytes(DOMAIN, utf8(canonicalJson(info)));
}

/** What a message is bound to beside its purpose. */
export interface SealContext {
  readonly info: SealInfo;
  readonly aad: Uint8Array;
}
