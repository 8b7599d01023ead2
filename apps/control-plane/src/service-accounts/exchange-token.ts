import {
  utf8,
  type AccountKeyId,
  type EpochMs,
  type FederationId,
  type OrgId,
  type ServiceAccountId,
} from '@ringfence/base';
import { sha256Hex, type SigningPublicKey } from '@ringfence/crypto/sign';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { namesOf, type FederatedIssuers, type TokenNames } from './federated-token.ts';
import { addKey } from './service-account-rows.ts';

/** What a workload shows, once, and the key that it made for itself. */
export interface TokenShown {
  readonly token: string;
  readonly publicKey: SigningPublicKey;
}

/** With what and until when a workload signs its requests. */
export interface TokenKey {
  readonly account: ServiceAccountId;
  readonly key: AccountKeyId;
  readonly ends: EpochMs;
}

/** A key that came by a token counts for so long. */
const KEY_LASTS_MS = 3_600_000;

/**
 * Takes a federated token for a key of the workload's own: issuer, audience and subject are a federation's, and its `jti` is spent in the transaction
 * that adds the key. Throws ControlPlaneError `not-authenticated` for every reason, `unavailable` when the issuer's keys cannot be had.
 */
export async function exchangeToken(
  context: ControlPlaneContext,
  issuers: FederatedIssuers,
  { token, publicKey }: TokenShown,
): Promise<TokenKey> {
  const names = namesOf(token);
  const found = names === undefined ? undefined : await findFederation(context.store, names);
  if (names === undefined || found === undefined) throw tokenRefused();
  const verified = await issuers.verify(token, names);
  if (!verified.allow) throw tokenRefused();
  const { org, account, federation } = found;
  const { id, notAfter } = verified.token;
  const ends = (context.clock.now() + KEY_LASTS_MS) as EpochMs;
  const key = await context.changes.run(org, async (tx) => {
    if (!(await stands(tx, federation))) return undefined;
    const spent = await tx
      .insertInto('spent_token')
      .values({ issuer: names.issuer, token_digest: sha256Hex(utf8(id)), org, expires_at: notAfter })
      .onConflict((conflict) => conflict.doNothing())
      .returning('issuer')
      .executeTakeFirst();
    return spent === undefined ? undefined : addKey(context, tx, { org, account, publicKey, ends, federation });
  });
  if (key === undefined) throw tokenRefused();
  return { account, key, ends };
}

interface FoundFederation {
  readonly federation: FederationId;
  readonly account: ServiceAccountId;
  readonly org: OrgId;
}

async function findFederation(
  store: ControlPlaneStore,
  { issuer, audience, subject }: TokenNames,
): Promise<FoundFederation | undefined> {
  const [row] = await store.querySystem(
    'find-federation',
    (db) =>
      db
        .selectFrom('federation')
        .select(['federation', 'account', 'org'])
        .where('issuer', '=', issuer)
        .where('audience', '=', audience)
        .where('subject', '=', subject)
        .where('removed_at', 'is', null)
        .compile(),
    { readOnly: true },
  );
  return row;
}

/** Whether nobody took it away while its token was verified; its row is locked until the key is there. */
async function stands(tx: Tx, federation: FederationId): Promise<boolean> {
  const row = await tx
    .selectFrom('federation')
    .select('federation')
    .where('federation', '=', federation)
    .where('removed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

function tokenRefused(): ControlPlaneError {
  return new ControlPlaneError('not-authenticated', 'this token shows nobody whom this control plane knows', {
    next: 'compare issuer, audience and subject with `ringfence service-account ls`; a token counts once, for ten minutes',
  });
}

/** Drops digests of tokens that nobody takes any more. */
export async function forgetTokens({ store, clock }: Pick<ControlPlaneContext, 'store' | 'clock'>): Promise<void> {
  const now = clock.now();
  await store.querySystem('forget-tokens', (db) =>
    db.deleteFrom('spent_token').where('expires_at', '<', now).compile(),
  );
}
