import { newId, Secret, type JoinCodeId } from '@ringfence/base';
import { openAtRest, sealAtRest, type RestingPlace } from '@ringfence/crypto/record';
import { makeRegistrationCode, type RegistrationCode } from '@ringfence/keyring';
import type { ControlPlaneRoute } from '@ringfence/protocol/payload';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';

const VALID_FOR_MS = 7 * 86_400_000;

/** Makes a code that lets one custodian register one organisation within a week; its secret rests sealed. */
export async function addRegistrationCode(
  context: Pick<ControlPlaneContext, 'store' | 'clock' | 'rng' | 'identity'>,
  controlPlane: ControlPlaneRoute,
): Promise<RegistrationCode> {
  const { store, clock, rng, identity } = context;
  const code = makeRegistrationCode(newId('joinCode', rng), { controlPlane }, rng);
  const now = clock.now();
  const secret_box = sealAtRest(identity.records, placeOf(code.id), code.secret.expose(), rng);
  await store.withSystem('make-registration-code', (tx) =>
    tx
      .insertInto('registration_code')
      .values({ id: code.id, secret_box, made_at: now, expires_at: now + VALID_FOR_MS, spent_at: null })
      .execute(),
  );
  return code;
}

/** The secret of a code that has not expired, for the check of a proof; a spent one still answers for its own registration. */
export async function secretOfCode(context: ControlPlaneContext, id: JoinCodeId): Promise<Secret | undefined> {
  const now = context.clock.now();
  const row = await context.store.withSystem('take-registration-code', (tx) =>
    tx
      .selectFrom('registration_code')
      .select('secret_box')
      .where('id', '=', id)
      .where('expires_at', '>', now)
      .executeTakeFirst(),
  );
  return row === undefined ? undefined : new Secret(openAtRest(context.identity.records, placeOf(id), row.secret_box));
}

/** Spends a code in the transaction of what it pays for; false when somebody was faster. */
export async function spendCode(tx: Tx, id: JoinCodeId, now: number): Promise<boolean> {
  const spent = await tx
    .updateTable('registration_code')
    .set({ spent_at: now })
    .where('id', '=', id)
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst();
  return spent !== undefined;
}

function placeOf(id: JoinCodeId): RestingPlace {
  return { table: 'registration_code', column: 'secret_box', row: id };
}
