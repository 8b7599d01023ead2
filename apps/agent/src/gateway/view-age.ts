import { headMaxAge } from '@ringfence/keyring';
import type { GatewayEndpoint, GatewayView } from '@ringfence/protocol/payload';

/** How far ahead of ours a custodian's clock may be. */
const AHEAD_MS = 900_000;

/** Whether a gateway may still serve an endpoint by a view of its custodian: as long as anything may start by a head of that age. */
export function mayServe(
  view: Pick<GatewayView, 'at'>,
  { sensitivity }: Pick<GatewayEndpoint, 'sensitivity'>,
  now: number,
): boolean {
  const age = now - view.at;
  return age >= -AHEAD_MS && age <= headMaxAge(sensitivity);
}
