import { fromUtf8, type JobId, type OrgId } from '@ringfence/base';
import { CryptoError, openSealed } from '@ringfence/crypto/open';
import { workload, type Workload } from '@ringfence/protocol/payload';
import { CustodianError } from '../custodian-error.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';

const NO_AAD = new Uint8Array();

/** The workload of `job` that a device sealed to this custodian; undefined when it does not open or is of another form. Throws CustodianError `shredded`. */
export async function openWorkload(
  { keys }: { readonly keys: CustodianKeys },
  org: OrgId,
  job: JobId,
  sealed: Uint8Array | null,
): Promise<Workload | undefined> {
  if (sealed === null)
    throw new CustodianError('shredded', 'the data keys of this job are destroyed: nothing opens its code any more', {
      next: 'launch it again from its job file',
    });
  try {
    const bytes = await openSealed(keys.seal, { info: { purpose: 'workload', org, job }, aad: NO_AAD }, sealed);
    const parsed = workload.safeParse(JSON.parse(fromUtf8(bytes)));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof CryptoError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
