import { epochMs, fromBase64Url, newId, Secret, toBase64Url, type DeviceId, type JoinCodeId } from '@ringfence/base';
import { makeJoinCode } from '@ringfence/keyring';
import type { joinCodeAnswer, joinCodeRequest, joinCodesAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { JOIN_CODE } from '../store/sealed-columns.ts';

/** What a code that can still be used promises. */
export interface OpenJoinCode {
  readonly secret: Secret;
  readonly name: string;
  readonly site: string;
  /** Where the machine that joins stands, as the organisation says. */
  readonly jurisdictions?: readonly string[] | undefined;
}

/** Makes a code that lets one agent join, once, until it expires; its text is shown here only. */
export async function createJoinCode(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { request, device }: { request: z.output<typeof joinCodeRequest>; device: DeviceId },
): Promise<z.input<typeof joinCodeAnswer>> {
  const { keys, clock, rng, columns } = context;
  const route = {
    controlPlane: claimed.controlPlane,
    orgRoot: claimed.keyring.root,
    custodian: { id: keys.id, ...context.route() },
  };
  const code = makeJoinCode(newId('joinCode', rng), route, rng);
  const now = clock.now();
  const { name, site, tier, validMs, jurisdictions } = request;
  if (tier !== 'private' && jurisdictions !== undefined)
    throw new CustodianError(
      'bad-request',
      'where a provider’s machine stands is said by its admission, not by its code',
      {
        next: 'leave --jurisdiction out',
      },
    );
  const code_box = columns.seal(JOIN_CODE, code.id, {
    secret: toBase64Url(code.secret.expose()),
    name,
    site,
    ...(jurisdictions === undefined ? {} : { jurisdictions }),
  });
  await context.store.withOrg(claimed.org, async (tx) => {
    await tx
      .insertInto('join_code')
      .values({
        id: code.id,
        org: claimed.org,
        tier,
        code_box,
        made_at: now,
        expires_at: now + validMs,
        spent_at: null,
        spent_digest: null,
        agent: null,
      })
      .execute();
    await context.record(tx, claimed.org, { type: 'join-code-made', code: code.id, device, tier });
  });
  context.openCodes.add(code.id, now + validMs);
  return { id: code.id, code: Buffer.from(code.text().expose()).toString() };
}

/** All codes, the newest first, without their secrets. */
export async function listJoinCodes(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
): Promise<z.input<typeof joinCodesAnswer>> {
  const rows = await context.store.withOrg(claimed.org, (tx) =>
    tx.selectFrom('join_code').selectAll().orderBy('made_at', 'desc').limit(1_000).execute(),
  );
  return {
    codes: rows.map(({ id, tier, code_box, made_at, expires_at, agent }) => {
      const { name, site } = context.columns.open(JOIN_CODE, id, code_box);
      return { id, name, site, tier, at: epochMs(made_at), expires: epochMs(expires_at), agent };
    }),
  };
}

/** What a code promises, spent or not, until it expires. */
export async function findJoinCode(
  context: CustodianContext,
  tx: Tx,
  id: JoinCodeId,
): Promise<(OpenJoinCode & { readonly tier: 'private' | 'secure-cloud' | 'community-cloud' }) | undefined> {
  const row = await tx
    .selectFrom('join_code')
    .select(['code_box', 'tier'])
    .where('id', '=', id)
    .where('expires_at', '>', context.clock.now())
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { secret, name, site, jurisdictions } = context.columns.open(JOIN_CODE, id, row.code_box);
  return { secret: new Secret(Uint8Array.from(fromBase64Url(secret))), name, site, jurisdictions, tier: row.tier };
}
