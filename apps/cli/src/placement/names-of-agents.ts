import { RingfenceError } from '@ringfence/base';
import type { NamedAgent } from '../keyring/keyring-view.ts';
import type { Session } from '../session.ts';
import type { NameOf } from './explanation-lines.ts';

/** What the custodian calls agents; their ids while it cannot be asked, or does not say it to this device. */
export async function namesOfAgents(session: Pick<Session, 'custodian'>): Promise<NameOf> {
  const agents = await namedAgents(session);
  return (id) => agents.find(({ agent }) => agent === id)?.name ?? id;
}

/** The agents that the custodian has names for; none while it cannot be asked, or does not say it to this device. */
export async function namedAgents({ custodian }: Pick<Session, 'custodian'>): Promise<readonly NamedAgent[]> {
  try {
    return await custodian.agents();
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    return [];
  }
}
