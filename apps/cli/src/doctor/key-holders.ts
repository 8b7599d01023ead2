import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { KeysAnswer } from '@ringfence/protocol/payload';
import { bad, good, warn, type Finding } from './finding.ts';

const REMEDY = 'ringfence key status, and docs/operate/key-providers.md; what needs a key is refused until then';

/** Whether those that hold the organisation's key answer; none from a custodian of an earlier release, and for who may not ask. */
export async function keyHolders(client: CustodianClient): Promise<Finding[]> {
  try {
    return keyFindings(await client.keys.status());
  } catch (error) {
    if (error instanceof ApiRefusal && (error.code === 'not-found' || error.code === 'not-authorised')) return [];
    throw error;
  }
}

/** One finding for each provider; one that holds nothing and does not answer is no harm yet. */
export function keyFindings({ providers, projectKeys }: Pick<KeysAnswer, 'providers' | 'projectKeys'>): Finding[] {
  const used = new Set(projectKeys.filter(({ state }) => state !== 'destroyed').map(({ provider }) => provider));
  return providers.map(({ name, kind, chosen, keyVersion, failure }) => {
    const check = `key provider ${name}`;
    if (failure === null) return good(check, `${kind}, version ${keyVersion ?? '-'}${chosen ? ', in use' : ''}`);
    if (chosen || used.has(name)) return bad(check, `${kind}: ${failure}`, REMEDY);
    return warn(check, `${kind}: ${failure}; nothing lies under it`, REMEDY);
  });
}
