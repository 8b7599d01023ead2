import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import { good, unfit, type Finding } from './finding.ts';

/** Whether grave actions ask more than a device's key; nothing is said by a custodian that does not know, or tells only others. */
export async function memberFindings(client: Pick<CustodianClient['access'], 'members'>): Promise<Finding[]> {
  try {
    const { mode, members } = await client.members();
    const without = members.filter(({ officer, factors }) => officer && factors.length === 0).length;
    if (mode === 'factors' && without === 0) return [good('factors', 'each officer has an authenticator')];
    const detail =
      mode === 'factors'
        ? `${without} of the officers ${without === 1 ? 'has' : 'have'} no authenticator, and can do nothing grave`
        : 'device-only: whoever has an officer’s device can do what the officer can';
    return [unfit('factors', detail, 'officers enrol one: ringfence factor add totp, then ringfence factor confirm')];
  } catch (error) {
    if (error instanceof ApiRefusal && QUIET.includes(error.code)) return [];
    throw error;
  }
}

const QUIET: readonly string[] = ['not-found', 'not-authorised'];
