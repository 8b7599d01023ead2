import { epochMs, newId, type Clock, type DeviceId, type OrgId, type Rng } from '@ringfence/base';
import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import { foldKeyring, genesisStatement, nextStatement, signStatement, type RecoveryKit } from '@ringfence/keyring';
import type { CustodianKeys } from '@ringfence/protocol/payload';
import { DELEGATIONS, type KeyringChange } from '@ringfence/protocol/statements';
import type { DeviceKeys } from './profile.ts';

/** How long the custodian's enrolment key may sign before the root renews it: 30 days. */
export const DELEGATION_MS = 30 * 86_400_000;

/** Who stands at the beginning of an organisation. */
export interface Founders {
  readonly root: SigningKey;
  readonly recovery: RecoveryKit;
  readonly custodian: CustodianKeys;
  readonly device: DeviceKeys;
}

/** A new organisation's keyring: genesis, its custodian and what that may sign, and its first device, officer and owner. */
export function firstKeyring(
  founders: Founders,
  time: { clock: Clock; rng: Rng },
): { org: OrgId; device: DeviceId; keyring: Envelope[] } {
  const { root, recovery, custodian, device: keys } = founders;
  const org = newId('org', time.rng);
  const device = newId('device', time.rng);
  const at = time.clock.now();
  const { threshold, keys: recoveryKeys } = recovery.recovery;
  const genesis = {
    kind: 'genesis' as const,
    root: root.publicKey,
    recovery: { threshold, keys: [...recoveryKeys] },
  };
  const keyring = [signStatement('keyring', genesisStatement(org, genesis, at), [root])];
  const changes: KeyringChange[] = [
    {
      kind: 'add-custodian',
      custodian: custodian.custodian,
      sign: custodian.sign,
      tls: custodian.tls,
      seal: custodian.seal,
    },
    {
      kind: 'delegate',
      custodian: custodian.custodian,
      key: custodian.enrolment,
      may: [...DELEGATIONS],
      notAfter: epochMs(at + DELEGATION_MS),
    },
    { kind: 'add-device', device, sign: keys.sign.publicKey, tls: keys.tls.publicKey },
    { kind: 'add-officer', device },
    { kind: 'bind-role', device, role: 'owner' },
  ];
  for (const change of changes)
    keyring.push(signStatement('keyring', nextStatement(foldKeyring(keyring), change, at), [root]));
  return { org, device, keyring };
}
