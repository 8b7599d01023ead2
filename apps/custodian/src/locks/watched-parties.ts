import type { AgentId, DeviceId } from '@ringfence/base';
import type { WatchedParty } from '@ringfence/policy/locks';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

/** A device as locks may name it: by itself, by whose it is, by its roles. */
export function watchedDevice(
  { access }: Pick<CustodianContext, 'access'>,
  { org, project, keyring }: ClaimedOrganisation,
  device: DeviceId,
): WatchedParty {
  return { org, device, member: access.memberOf(device), roles: keyring.rolesOf(device), project };
}

/** An agent as locks may name it: by itself and by its site. */
export function watchedAgent({ org, keyring }: ClaimedOrganisation, agent: AgentId): WatchedParty {
  return { org, agent, site: keyring.agent(agent)?.site, roles: [] };
}
