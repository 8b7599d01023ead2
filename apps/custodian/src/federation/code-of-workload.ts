import { ClientError } from '@ringfence/client/error';
import { hashPack } from '@ringfence/client/pack';
import { CryptoError } from '@ringfence/crypto/open';
import type { Digest } from '@ringfence/crypto/sign';
import { codeDigest } from '@ringfence/protocol/federation';
import type { Workload } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { LARGEST_OBJECT } from '../objects/object-framing.ts';

/** The digest by which a contract names a workload's code, from its opened files; undefined where it brings none. Throws CustodianError `missing-objects`. */
export async function codeOfWorkload(
  { objects }: Pick<CustodianContext, 'objects'>,
  { org, project }: Pick<ClaimedOrganisation, 'org' | 'project'>,
  { code }: Pick<Workload, 'code'>,
): Promise<Digest | undefined> {
  if (code === undefined) return undefined;
  const fetch = async (digest: Digest): Promise<Uint8Array> => {
    const bytes = await objects.readWhole(digest, LARGEST_OBJECT);
    if (bytes === undefined) throw unreadable();
    return bytes;
  };
  try {
    return codeDigest(await hashPack({ pack: code, org, project, fetch }));
  } catch (error) {
    if (error instanceof ClientError || error instanceof CryptoError) throw unreadable(error);
    throw error;
  }
}

function unreadable(cause?: unknown): CustodianError {
  return new CustodianError('missing-objects', 'the code of the job is not all here, or does not open', {
    cause,
    next: 'launch again: what is missing is uploaded then',
  });
}
