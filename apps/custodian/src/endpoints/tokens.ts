import { toBase64Url, utf8, type DeviceId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { tokenAnswer, tokenRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { TOKEN_NAME } from '../store/sealed-columns.ts';
import { lockEndpoint } from './endpoint-rows.ts';

const MOST_TOKENS = 1_000;

/** Makes a token of 256 random bits; its text is in this answer alone, here rests its SHA-256. Throws CustodianError `conflict`, `too-much`, `not-found`. */
export async function mintToken(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  of: { endpoint: string; request: z.output<typeof tokenRequest>; device: DeviceId },
): Promise<z.input<typeof tokenAnswer>> {
  const { clock, columns, rng } = context;
  const { name, expires, limits } = of.request;
  if (expires <= clock.now())
    throw new CustodianError('bad-request', 'the token would have expired already', { next: 'name a later expiry' });
  const token = `rfe_${toBase64Url(rng.bytes(32))}`;
  const digest = sha256Hex(utf8(token));
  await context.store.withOrg(org, async (tx) => {
    const endpoint = await lockEndpoint(context, tx, of.endpoint);
    const held = await tx.selectFrom('endpoint_token').select('name_index').where('endpoint', '=', endpoint).execute();
    const name_index = columns.index('endpoint_token', name);
    if (held.some((row) => row.name_index === name_index))
      throw new CustodianError('conflict', 'the endpoint has a token of this name', {
        next: 'choose another name, or revoke that one first',
      });
    if (held.length >= MOST_TOKENS)
      throw new CustodianError('too-much', 'the endpoint has as many tokens as it may', {
        next: 'revoke some: `ringfence endpoint token revoke`',
      });
    await tx
      .insertInto('endpoint_token')
      .values({
        digest,
        org,
        endpoint,
        name_index,
        name_box: columns.seal(TOKEN_NAME, digest, name),
        made_at: clock.now(),
        expires_at: expires,
        limits: JSON.stringify(limits),
        minted_by: of.device,
      })
      .execute();
    await context.record(tx, org, { type: 'token-minted', endpoint, token: digest, device: of.device });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
  context.endpoints.changed();
  return { token, name };
}

/** Voids a token: gateways hear of it at once. Throws CustodianError `not-found`. */
export async function revokeToken(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  of: { endpoint: string; token: string; device: DeviceId },
): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    const endpoint = await lockEndpoint(context, tx, of.endpoint);
    const revoked = await tx
      .deleteFrom('endpoint_token')
      .where('endpoint', '=', endpoint)
      .where('name_index', '=', context.columns.index('endpoint_token', of.token))
      .returning('digest')
      .executeTakeFirst();
    if (revoked === undefined)
      throw new CustodianError('not-found', 'the endpoint has no token of this name', {
        next: 'see `ringfence endpoint token ls`',
      });
    await context.record(tx, org, { type: 'token-revoked', endpoint, token: revoked.digest, device: of.device });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
  context.endpoints.changed();
}
