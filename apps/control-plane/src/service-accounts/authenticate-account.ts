import type { AccountKeyId } from '@ringfence/base';
import type { TokenId } from '@ringfence/policy/locks';
import { verifyRequest, type SignatureHeaders, type SignedRequest } from '@ringfence/protocol/api';
import type { ServiceCaller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { findAccountKey } from './service-account-rows.ts';

/** The service account whose key signed a request; freshness and the nonce are the caller's to check. */
export async function authenticateAccount(
  parts: Pick<ControlPlaneContext, 'store' | 'clock'>,
  { request, signed, key }: { request: SignedRequest; signed: SignatureHeaders; key: AccountKeyId },
): Promise<ServiceCaller | undefined> {
  const known = await findAccountKey(parts, key);
  if (known === undefined || !verifyRequest(request, signed, known.publicKey)) return undefined;
  const { account, org, roles } = known;
  return { account, token: key as string as TokenId, org, roles };
}
