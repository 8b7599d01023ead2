import type { Clock, ProjectId } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { CustodianClient } from '@ringfence/client/custodian';
import { storedLinkIdentity } from '@ringfence/client/payload-link';
import { checkCodeProof, codeProof, type ClaimCode } from '@ringfence/keyring';
import type { CustodianKeys } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { createLink } from './link.ts';
import type { PendingClaim } from './pending-claim.ts';
import type { DeviceKeys } from './profile.ts';

type Link = Parameters<typeof codeProof>[1]['link'];

/** The custodian's keys, proven with the claim code's secret on this very link. Throws CliError `not-trusted`. */
export async function custodianKeys(at: { code: ClaimCode; device: DeviceKeys; clock: Clock }): Promise<CustodianKeys> {
  const { code } = at;
  return withCustodian(at, async (custodian, link) => {
    const asked = codeProof(code.secret, { message: 'claim-keys-request', link, body: {} });
    const { keys, proof } = await custodian.claimKeys({ proof: asked });
    const trusted = checkCodeProof(code.secret, { message: 'claim-keys-answer', link, body: { keys } }, proof);
    if (trusted && keys.tls === code.route.custodian.tls && keys.custodian === code.route.custodian.id) return keys;
    throw new CliError('not-trusted', 'the custodian did not prove that it knows the claim code', {
      next: 'read the claim code again from the custodian’s own machine',
    });
  });
}

/** Hands the custodian its organisation, and returns the organisation's project; the same claim again gets the same answer. */
export async function sendClaim(
  at: { code: ClaimCode; device: DeviceKeys; clock: Clock },
  { org, keyring, registration }: Pick<PendingClaim, 'org' | 'keyring' | 'registration'>,
): Promise<ProjectId> {
  const body = { keyring, registration, passphraseSealed: true };
  return withCustodian(at, async (custodian, link) => {
    const proof = codeProof(at.code.secret, { message: 'claim-request', link, body });
    try {
      return (await custodian.claim({ ...body, proof })).project;
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.code !== 'claimed') throw error;
      // Perhaps by this very claim, whose answer was lost: then this device is a member, and may ask.
      const status = await custodian.status().catch(() => undefined);
      if (status?.org === org && status.project !== null) return status.project;
      throw error;
    }
  });
}

async function withCustodian<T>(
  { code, device, clock }: { code: ClaimCode; device: DeviceKeys; clock: Clock },
  use: (custodian: CustodianClient, link: Link) => Promise<T>,
): Promise<T> {
  const identity = storedLinkIdentity(device.tls, device.certificatePem);
  const route = code.route.custodian;
  const custodian = new CustodianClient(createLink({ route, identity, clock }));
  try {
    return await use(custodian, { client: device.tls.publicKey, server: route.tls });
  } finally {
    custodian.close();
  }
}
