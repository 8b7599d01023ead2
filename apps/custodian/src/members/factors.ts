import { fromBase64Url, fromUtf8, newId, Secret, toBase64Url, type DeviceId, type MemberId } from '@ringfence/base';
import { CryptoError } from '@ringfence/crypto/record';
import {
  makeRecoveryCode,
  matchTotp,
  printRecoveryCode,
  readRecoveryCode,
  readTotp,
  RECOVERY_CODES,
  recoveryCodeDigest,
  TOTP_SECRET_BYTES,
} from '@ringfence/policy/second-factors';
import { REGAIN } from '@ringfence/policy/assurance';
import type { GivenKind } from '../access/access-book.ts';
import { assertSure } from '../access/assert-sure.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { TOTP_SECRET } from '../store/sealed-columns.ts';
import { beginTry, forgetTries } from './code-tries.ts';
import { base32, hotp } from './hotp.ts';
import { rowOfMember } from './members.ts';

/** Who asks, of which organisation. */
export interface Asking {
  readonly claimed: ClaimedOrganisation;
  readonly device: DeviceId;
}

/** Begins an authenticator of the member whose device asks; its secret, in base32, is told this once. */
export async function beginTotp(context: CustodianContext, { claimed, device }: Asking): Promise<string> {
  const { store, clock, rng, columns } = context;
  askToChange(context, device);
  const totp = newId('totp', rng);
  using secret = new Secret(rng.bytes(TOTP_SECRET_BYTES));
  await store.withOrg(claimed.org, async (tx) => {
    const member = await rowOfMember(context, tx, claimed, device);
    // The member's row orders those who begin at once: the last is the one that can be confirmed.
    await tx.selectFrom('member').select('member').where('member', '=', member).forUpdate().execute();
    await tx
      .updateTable('totp')
      .set({ removed_at: clock.now() })
      .where('member', '=', member)
      .where('removed_at', 'is', null)
      .where('confirmed_at', 'is', null)
      .execute();
    const secret_box = columns.seal(TOTP_SECRET, totp, toBase64Url(secret.expose()));
    await tx
      .insertInto('totp')
      .values({
        totp,
        org: claimed.org,
        member,
        secret_box,
        last_step: -1,
        made_at: clock.now(),
        confirmed_at: null,
        removed_at: null,
      })
      .execute();
  });
  return base32(secret);
}

/**
 * Makes the authenticator that was begun the member's, in place of the one before, by its first code, and gives ten recovery codes. An
 * officer's first ends `device-only`. What was given at their devices before counts no more. Throws CustodianError `bad-code`, `too-soon`, `step-up`.
 */
export async function confirmTotp(
  context: CustodianContext,
  { claimed, device }: Asking,
  typed: string,
): Promise<readonly string[]> {
  const { access, clock } = context;
  askToChange(context, device);
  const now = clock.now();
  const officer = claimed.keyring.isOfficer(device);
  const tried = await tryCode(context, { claimed, device }, async (tx, member) => {
    const step = await spendStep(context, tx, { member, typed, confirmed: false });
    if (step === undefined) return undefined;
    await tx
      .updateTable('totp')
      .set({ removed_at: now })
      .where('member', '=', member)
      .where('removed_at', 'is', null)
      .where('confirmed_at', 'is not', null)
      .execute();
    await tx.updateTable('totp').set({ confirmed_at: now }).where('totp', '=', step).execute();
    if (officer)
      await tx.updateTable('organisation').set({ factors_since: now }).where('factors_since', 'is', null).execute();
    const codes = await makeCodes(context, tx, claimed, member);
    await forgetGiven(tx, member);
    await note(tx, { claimed, device, kind: 'totp', at: now });
    await context.record(tx, claimed.org, { type: 'factor-enrolled', member, device });
    return codes;
  });
  const member = access.memberOf(device);
  access.noteDevice(device, member);
  access.noteTotp(member, true);
  access.forgetGiven(member);
  access.noteGiven(device, 'totp', now);
  if (officer) access.noteFactors(now);
  return tried;
}

/** Shows a code of an authenticator, or a recovery code, at a device: from now on it stands beside the device's key. Throws CustodianError `bad-code`, `too-soon`. */
export async function stepUp(
  context: CustodianContext,
  { claimed, device }: Asking,
  typed: string,
): Promise<GivenKind> {
  const { access, clock } = context;
  const now = clock.now();
  const kind: GivenKind = readTotp(typed) === undefined ? 'recovery-code' : 'totp';
  await tryCode(context, { claimed, device }, async (tx, member) => {
    const spent =
      kind === 'totp'
        ? (await spendStep(context, tx, { member, typed, confirmed: true })) !== undefined
        : await spendRecoveryCode(tx, { member, typed, now });
    if (!spent) return undefined;
    await note(tx, { claimed, device, kind, at: now });
    await context.record(tx, claimed.org, { type: 'stepped-up', member, device, factor: kind });
    return true;
  });
  access.noteGiven(device, kind, now);
  return kind;
}

/** Takes the member's authenticator and recovery codes away, with what was given at their devices. Throws CustodianError `step-up`. */
export async function removeTotp(context: CustodianContext, { claimed, device }: Asking): Promise<void> {
  const { store, access, clock } = context;
  assertSure(access, device, { requirement: REGAIN, now: clock.now() });
  const member = access.memberOf(device);
  await store.withOrg(claimed.org, async (tx) => {
    await tx
      .updateTable('totp')
      .set({ removed_at: clock.now() })
      .where('member', '=', member)
      .where('removed_at', 'is', null)
      .execute();
    await tx.deleteFrom('recovery_code').where('member', '=', member).execute();
    await forgetGiven(tx, member);
    await context.record(tx, claimed.org, { type: 'factor-removed', member, device });
  });
  access.noteTotp(member, false);
  access.forgetGiven(member);
}

/** The first factor asks the level that there is; a further one what regaining asks. */
function askToChange({ access, clock }: CustodianContext, device: DeviceId): void {
  if (access.hasTotp(access.memberOf(device))) assertSure(access, device, { requirement: REGAIN, now: clock.now() });
}

/**
 * Counts a try in a transaction of its own, so that a wrong one stays counted; then spends in another. One answer to every wrong code: unknown,
 * spent, of nobody.
 */
async function tryCode<T>(
  context: CustodianContext,
  { claimed, device }: Asking,
  spend: (tx: Tx, member: MemberId) => Promise<T | undefined>,
): Promise<T> {
  const { store, clock } = context;
  const member = await store.withOrg(claimed.org, async (tx) => {
    const theirs = await rowOfMember(context, tx, claimed, device);
    await beginTry(tx, theirs, clock.now());
    return theirs;
  });
  const spent = await store.withOrg(claimed.org, async (tx) => {
    const result = await spend(tx, member);
    if (result !== undefined) await forgetTries(tx, member);
    return result;
  });
  if (spent !== undefined) return spent;
  throw new CustodianError('bad-code', 'this code is not good, or was used', {
    next: 'wait for the next code of the authenticator, and check that this machine’s clock is right',
  });
}

/** Spends the step of a typed code in one statement: of all who show it one is let in. The authenticator, or undefined. */
async function spendStep(
  { clock, columns }: CustodianContext,
  tx: Tx,
  { member, typed, confirmed }: { readonly member: MemberId; readonly typed: string; readonly confirmed: boolean },
) {
  const stored = await tx
    .selectFrom('totp')
    .select(['totp', 'secret_box', 'last_step'])
    .where('member', '=', member)
    .where('removed_at', 'is', null)
    .where('confirmed_at', confirmed ? 'is not' : 'is', null)
    .executeTakeFirst();
  const code = readTotp(typed);
  if (stored === undefined || code === undefined) return undefined;
  using secret = openSecret(columns, stored);
  if (secret === undefined) return undefined;
  const matched = matchTotp({ secret, code, lastStep: stored.last_step, now: clock.now() }, hotp);
  if (!matched.allow) return undefined;
  const spent = await tx
    .updateTable('totp')
    .set({ last_step: matched.step })
    .where('totp', '=', stored.totp)
    .where('removed_at', 'is', null)
    .where('last_step', '<', matched.step)
    .returning('totp')
    .executeTakeFirst();
  return spent?.totp;
}

/** A box that does not open counts for nothing. */
function openSecret(
  columns: CustodianContext['columns'],
  { totp, secret_box }: { totp: string; secret_box: Uint8Array },
) {
  try {
    return new Secret(fromBase64Url(columns.open(TOTP_SECRET, totp, secret_box)));
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

/** Ten new codes, as they are printed; those before are void. */
async function makeCodes(
  { clock, rng }: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  member: MemberId,
): Promise<readonly string[]> {
  await tx.deleteFrom('recovery_code').where('member', '=', member).execute();
  const codes = Array.from({ length: RECOVERY_CODES }, () => makeRecoveryCode(rng));
  const made_at = clock.now();
  await tx
    .insertInto('recovery_code')
    .values(codes.map((code) => ({ member, org, digest: recoveryCodeDigest(member, code), made_at, spent_at: null })))
    .execute();
  return codes.map((code) => fromUtf8(printRecoveryCode(code).expose()));
}

/** Spends a recovery code in one statement. */
async function spendRecoveryCode(
  tx: Tx,
  { member, typed, now }: { readonly member: MemberId; readonly typed: string; readonly now: number },
): Promise<boolean> {
  const read = readRecoveryCode(typed);
  if (!read.allow) return false;
  using code = read.code;
  const spent = await tx
    .updateTable('recovery_code')
    .set({ spent_at: now })
    .where('member', '=', member)
    .where('digest', '=', recoveryCodeDigest(member, code))
    .where('spent_at', 'is', null)
    .returning('member')
    .executeTakeFirst();
  return spent !== undefined;
}

async function note(
  tx: Tx,
  { claimed, device, kind, at }: Asking & { readonly kind: GivenKind; readonly at: number },
): Promise<void> {
  await tx
    .insertInto('given_factor')
    .values({ device, kind, org: claimed.org, at })
    .onConflict((conflict) => conflict.columns(['device', 'kind']).doUpdateSet({ at }))
    .execute();
}

/** After the statement that ends the factors: a step-up that spends one of them at the same moment is either seen here or refused there. */
async function forgetGiven(tx: Tx, member: MemberId): Promise<void> {
  await tx
    .deleteFrom('given_factor')
    .where('device', 'in', (db) => db.selectFrom('member_device').select('device').where('member', '=', member))
    .execute();
}
