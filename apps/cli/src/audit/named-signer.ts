import type { DelegatedRight, Keyring, Unverified } from '@ringfence/keyring';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { StatementName } from '@ringfence/protocol/statements';

/** Whose word a statement is by what it says, and the keys by which it may be. */
export interface NamedSigner {
  readonly who: string;
  readonly keys: readonly SigningPublicKey[];
}

/** Words that count by the custodian which they name, and the right that was delegated to it for them. */
const OF_CUSTODIAN: Partial<Record<StatementName, DelegatedRight>> = {
  'keyring-head': 'head',
  label: 'label',
  grant: 'grant',
  commit: 'commit',
  erasure: 'commit',
  'member-erasure': 'commit',
  'release-receipt': 'commit',
  export: 'commit',
};
/** Words that count by the device, or the agent, which they name. Of other statements the signer is not named, or is another party. */
const OF_DEVICE: readonly StatementName[] = [
  'job',
  'fence',
  'release',
  'release-rule',
  'release-end',
  'export-manifest',
];
const OF_AGENT: readonly StatementName[] = ['stopped', 'deletion'];
/** Words of the control plane: the keyring holds none of its keys, so that nobody in it can have said them. */
export const OF_CONTROL_PLANE: readonly StatementName[] = ['receipt', 'lease', 'control-plane-keys', 'burst-decision'];

/**
 * Who must have signed this statement; undefined for one that anybody in the keyring may. A custodian's keys are those that were delegated to it
 * when the statement says that it was made: it is read long after.
 */
export function namedSigner({ name, claimed }: Unverified<StatementName>, keyring: Keyring): NamedSigner | undefined {
  const right = OF_CUSTODIAN[name];
  if (right !== undefined && 'custodian' in claimed && 'at' in claimed)
    return { who: 'the custodian', keys: keyring.delegatedKeys(right, claimed.at, claimed.custodian) };
  if (OF_DEVICE.includes(name) && 'device' in claimed && claimed.device !== null)
    return partyOf(claimed.device, keyring.deviceKey(claimed.device));
  if (OF_AGENT.includes(name) && 'agent' in claimed && claimed.agent !== undefined)
    return partyOf(claimed.agent, keyring.agent(claimed.agent)?.sign);
  return undefined;
}

function partyOf(who: string, key: SigningPublicKey | undefined): NamedSigner {
  return { who, keys: key === undefined ? [] : [key] };
}
