import type { DeviceId, MemberId, OrgId, ServiceAccountId } from '@ringfence/base';

type Named = { readonly device: DeviceId } | { readonly member: MemberId } | { readonly account: ServiceAccountId };

/** Who wishes something, of which organisation; a device that is known to be a member's is the device. */
export type Wisher = Named & { readonly org: OrgId };

/** Who wished something, as the ledger writes it: a device, a member in a browser, or a service account. */
export function wishedBy(wisher: Wisher): Named {
  if ('account' in wisher) return { account: wisher.account };
  return 'device' in wisher ? { device: wisher.device } : { member: wisher.member };
}
