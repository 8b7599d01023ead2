import type { DeviceId } from '@ringfence/base';
import { isGated } from '@ringfence/policy/release';
import type { GatewayEndpoint } from '@ringfence/protocol/payload';

/** Whether an endpoint's answers are released to a member, or to whoever shows a token (`device` undefined), as the custodian said last (invariant 8). */
export function isReleasedTo(
  { sensitivity, release }: Pick<GatewayEndpoint, 'sensitivity' | 'release'>,
  device: DeviceId | undefined,
  now: number,
): boolean {
  if (!isGated(sensitivity)) return true;
  if (release === undefined) return false;
  const isOpen = (until: number | null | undefined): boolean => typeof until === 'number' && now < until;
  if (device === undefined) return isOpen(release.tokens);
  return isOpen(release.members) || isOpen(release.devices.find((each) => each.device === device)?.until);
}
