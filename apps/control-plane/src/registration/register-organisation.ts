import { checkCodeProof, codeProof } from '@ringfence/keyring';
import type { organisationAnswer, organisationRegistration } from '@ringfence/protocol/api';
import { StoreError } from '@ringfence/store';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { secretOfCode, spendCode } from './registration-codes.ts';

type Registration = z.output<typeof organisationRegistration>;

/**
 * Registers an organisation under its custodian's keys, against a one-time code. The same registration again (its answer was lost) gives the
 * same answer. Throws ControlPlaneError `bad-code` for every reason.
 */
export async function registerOrganisation(
  context: ControlPlaneContext,
  registration: Registration,
): Promise<z.input<typeof organisationAnswer>> {
  const { proof, ...body } = registration;
  const secret = await secretOfCode(context, registration.code);
  if (secret === undefined || !checkCodeProof(secret, { message: 'registration-request', link: null, body }, proof))
    throw badCode();
  const restored = await context.store
    .withSystem('register-organisation', async (tx) => {
      const now = context.clock.now();
      if (await isRegistered(tx, body)) return (await spendCode(tx, registration.code, now)) && welcomeBack(tx, body);
      if (await spendCode(tx, registration.code, now)) return insertOrganisation(tx, body, now);
      // The same registration may have won while this one waited for the code's row.
      if (!(await isRegistered(tx, body))) throw badCode();
      return false;
    })
    .catch((error: unknown) => {
      // The custodian's id, or the organisation's, is somebody else's.
      throw error instanceof StoreError && error.code === 'duplicate' ? badCode() : error;
    });
  await recordOnce(context, body);
  if (restored)
    await context.changes.run(body.org, async (tx) => {
      await context.record(tx, body.org, { type: 'custodian-restored', custodian: body.custodian });
      await context.changes.wake(tx, 'link', `${body.custodian} locked`);
    });
  context.onRegistered();
  const answer = { org: body.org, keys: context.identity.keys };
  return { ...answer, proof: codeProof(secret, { message: 'registration-answer', link: null, body: answer }) };
}

/** Whether this very registration has happened; throws when the organisation is registered under other keys. */
async function isRegistered(tx: Tx, body: Omit<Registration, 'proof'>): Promise<boolean> {
  const known = await tx
    .selectFrom('organisation')
    .innerJoin('party', 'party.id', 'organisation.custodian')
    .select(['custodian', 'enrolment_key', 'sign_key'])
    .where('organisation.org', '=', body.org)
    .executeTakeFirst();
  if (known === undefined) return false;
  if (known.custodian === body.custodian && known.enrolment_key === body.enrolment && known.sign_key === body.sign)
    return true;
  throw badCode();
}

/**
 * A custodian that came back from a backup: its journal begins anew, and so does its link. It paid with a fresh code of the operator's, so
 * whoever copied a custodian cannot do this alone.
 */
async function welcomeBack(tx: Tx, { custodian }: Omit<Registration, 'proof'>): Promise<true> {
  await tx.deleteFrom('outbox').where('party', '=', custodian).execute();
  await tx
    .updateTable('party')
    .set((column) => ({
      journal_seq: null,
      journal_hash: null,
      received_mid: 0,
      next_mid: 1,
      locked: null,
      connection: column('connection', '+', 1),
      seen_at: null,
    }))
    .where('id', '=', custodian)
    .execute();
  return true;
}

async function insertOrganisation(tx: Tx, body: Omit<Registration, 'proof'>, now: number): Promise<false> {
  await tx
    .insertInto('organisation')
    .values({ org: body.org, custodian: body.custodian, enrolment_key: body.enrolment, registered_at: now })
    .execute();
  await tx
    .insertInto('party')
    .values({
      id: body.custodian,
      org: body.org,
      role: 'custodian',
      sign_key: body.sign,
      keyring_seq: 0,
      locked: null,
      journal_seq: null,
      journal_hash: null,
      replica: null,
      seen_at: null,
    })
    .execute();
  return false;
}

/** First entry of the organisation's ledger; after a crash in between, the repeated registration writes it. */
async function recordOnce(
  context: ControlPlaneContext,
  { org, custodian }: Omit<Registration, 'proof'>,
): Promise<void> {
  await context.changes.run(org, async (tx) => {
    const { event_seq } = await tx
      .selectFrom('organisation')
      .select('event_seq')
      .where('org', '=', org)
      .executeTakeFirstOrThrow();
    if (event_seq === 0) await context.record(tx, org, { type: 'organisation-registered', custodian });
  });
}

function badCode(): ControlPlaneError {
  return new ControlPlaneError('bad-code', 'the registration code is unknown, spent or expired', {
    next: 'ask the operator for a new one: `ringfence-control-plane registration-code --state DIR`',
  });
}
