import { ApiRefusal, ControlPlaneClient } from '@ringfence/client/api';
import {
  checkCodeProof,
  codeProof,
  openControlPlaneKeys,
  parseRegistrationCode,
  type RegistrationCode,
} from '@ringfence/keyring';
import type { organisationAnswer } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { messageOf, type OrgId, RingfenceError } from '@ringfence/base';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { REGISTRATION } from '../store/sealed-columns.ts';

/**
 * Registers the stored organisation at its control plane, with proofs checked both ways, and marks it claimed. Does nothing for one that is.
 * Throws CustodianError `not-registered`; a code that the control plane refused can be replaced by claiming again.
 */
export async function registerAtControlPlane(context: CustodianContext): Promise<void> {
  const found = await context.store.withSystem('find-organisation', (tx) =>
    tx.selectFrom('organisation').select(['org', 'registration_box', 'state']).executeTakeFirst(),
  );
  if (found === undefined || found.state === 'claimed' || found.registration_box === null) return;
  const { org } = found;
  const code = parseRegistrationCode(context.columns.open(REGISTRATION, org, found.registration_box));
  const answer = await askControlPlane(context, code, org);
  checkAnswer(context, code, { org, answer });
  await context.store.withOrg(org, async (tx) => {
    await tx
      .updateTable('organisation')
      .set({ state: 'claimed', registration_box: null })
      .where('org', '=', org)
      .execute();
    await context.record(tx, org, { type: 'registered', controlPlane: code.route.controlPlane.id });
  });
}

type Answer = z.output<typeof organisationAnswer>;

async function askControlPlane(context: CustodianContext, code: RegistrationCode, org: OrgId): Promise<Answer> {
  const { clock, rng, keys, outer } = context;
  const { url, caPin } = code.route.controlPlane;
  const client = new ControlPlaneClient({
    url,
    clock,
    rng,
    pin: caPin ?? undefined,
    caFile: outer.caFile,
    proxy: outer.proxy,
  });
  const body = {
    code: code.id,
    org,
    custodian: keys.id,
    sign: keys.sign.publicKey,
    enrolment: keys.enrolment.publicKey,
  };
  const proof = codeProof(code.secret, { message: 'registration-request', link: null, body });
  try {
    return await client.register({ ...body, proof });
  } catch (cause) {
    const next = cause instanceof RingfenceError ? cause.next : undefined;
    const refused = cause instanceof ApiRefusal ? 'refused the organisation' : 'cannot be reached';
    throw new CustodianError('not-registered', `the control plane ${refused}: ${messageOf(cause)}`, {
      cause,
      next: next ?? 'check the control plane, then run the same command again',
    });
  } finally {
    await client.close();
  }
}

/** A control plane that did not make the code, or speaks under another root than the code pins, registers nobody. */
function checkAnswer(
  { clock }: CustodianContext,
  code: RegistrationCode,
  { org, answer: { proof, ...body } }: { org: OrgId; answer: Answer },
): void {
  const proven = checkCodeProof(code.secret, { message: 'registration-answer', link: null, body }, proof);
  const { id, root } = code.route.controlPlane;
  if (proven && body.org === org && openControlPlaneKeys(body.keys, { id, root }, clock.now()) !== undefined) return;
  throw new CustodianError('not-registered', 'the control plane did not prove that it made the registration code', {
    next: 'ask its operator for a new code, out of band',
  });
}
