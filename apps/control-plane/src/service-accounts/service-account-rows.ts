import {
  newId,
  type AccountKeyId,
  type EpochMs,
  type FederationId,
  type OrgId,
  type ServiceAccountId,
} from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { Role } from '@ringfence/policy/authorise';
import type { ServiceAccountList } from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import { wishedBy, type Wisher } from '../http/wished-by.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { TokenNames } from './federated-token.ts';

/** How many service accounts an organisation may have, and how many keys each. */
const MOST_ACCOUNTS = 200;
const MOST_KEYS = 100;
const DAY_MS = 86_400_000;

/** How an account shows that it is one. */
export type AccountProof =
  | { readonly federation: TokenNames }
  | { readonly key: { readonly publicKey: SigningPublicKey; readonly days: number } };

/** An account that was just added, and its key where it has one from the beginning. */
export interface AddedAccount {
  readonly account: ServiceAccountId;
  readonly key: AccountKeyId | null;
  readonly ends: EpochMs | null;
}

/** Adds an account. Throws ControlPlaneError `conflict` for tokens that are another account's or a key that is known, `too-much`. */
export async function addAccount(
  context: ControlPlaneContext,
  wisher: Wisher,
  { roles, ...proof }: AccountProof & { readonly roles: readonly Role[] },
): Promise<AddedAccount> {
  const { rng, clock } = context;
  const { org } = wisher;
  const account = newId('serviceAccount', rng);
  return context.changes.run(org, async (tx) => {
    const now = clock.now();
    const { count } = await tx
      .selectFrom('service_account')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('removed_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (Number(count) >= MOST_ACCOUNTS)
      throw new ControlPlaneError('too-much', 'there are as many service accounts as there may be', {
        next: 'remove one that is no longer used: `ringfence service-account ls`',
      });
    await tx
      .insertInto('service_account')
      .values({ account, org, roles: JSON.stringify(roles), made_at: now })
      .execute();
    await context.record(tx, org, {
      type: 'service-account-added',
      account,
      roles: [...roles],
      asker: wishedBy(wisher),
    });
    if ('federation' in proof) {
      await addFederation(context, tx, { org, account, now }, proof.federation);
      return { account, key: null, ends: null };
    }
    const { publicKey, days } = proof.key;
    const ends = (now + days * DAY_MS) as EpochMs;
    const key = await addKey(context, tx, { org, account, publicKey, ends, federation: null });
    return { account, key, ends };
  });
}

async function addFederation(
  { rng }: ControlPlaneContext,
  tx: Tx,
  { org, account, now }: { org: OrgId; account: ServiceAccountId; now: number },
  names: TokenNames,
): Promise<void> {
  const added = await tx
    .insertInto('federation')
    .values({ federation: newId('federation', rng), org, account, made_at: now, ...names })
    .onConflict((conflict) => conflict.doNothing())
    .returning('federation')
    .executeTakeFirst();
  if (added !== undefined) return;
  throw new ControlPlaneError('conflict', 'these tokens are an account’s already', {
    next: 'use another audience or subject',
  });
}

/** A key that may sign for an account until it ends. */
export interface NewKey {
  readonly org: OrgId;
  readonly account: ServiceAccountId;
  readonly publicKey: SigningPublicKey;
  readonly ends: EpochMs;
  /** By whose token it came, or null. */
  readonly federation: FederationId | null;
}

/** Adds a key in a running change; keys that ended are dropped. Throws ControlPlaneError `conflict`, `too-much`. */
export async function addKey(
  { rng, clock, record }: Pick<ControlPlaneContext, 'rng' | 'clock' | 'record'>,
  tx: Tx,
  { org, account, publicKey, ends, federation }: NewKey,
): Promise<AccountKeyId> {
  const key = newId('accountKey', rng);
  const now = clock.now();
  const { count } = await tx
    .selectFrom('account_key')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .where('removed_at', 'is', null)
    .where('ends_at', '>', now)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST_KEYS)
    throw new ControlPlaneError('too-much', 'this account has as many keys as it may', { next: 'wait until one ends' });
  const added = await tx
    .insertInto('account_key')
    .values({ key, org, account, public_key: publicKey, made_at: now, ends_at: ends, federation })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (added === undefined)
    throw new ControlPlaneError('conflict', 'this key is known already', { next: 'make a fresh key' });
  await record(tx, org, { type: 'account-key-added', account, key, federated: federation !== null });
  return key;
}

/** The organisation's accounts, with what each may show, oldest first. */
export function listAccounts(
  { store, clock }: Pick<ControlPlaneContext, 'store' | 'clock'>,
  org: OrgId,
): Promise<ServiceAccountList['accounts']> {
  return store.withOrg(org, async (tx) => {
    const accounts = tx.selectFrom('service_account').select(['account', 'roles', 'made_at']);
    const rows = await accounts.where('removed_at', 'is', null).orderBy('made_at').execute();
    const federations = await tx
      .selectFrom('federation')
      .select(['account', 'issuer', 'audience', 'subject'])
      .where('removed_at', 'is', null)
      .execute();
    const keys = await tx
      .selectFrom('account_key')
      .select(['account', 'key', 'ends_at', 'federation'])
      .where('removed_at', 'is', null)
      .where('ends_at', '>', clock.now())
      .orderBy('ends_at')
      .execute();
    return rows.map(({ account, roles, made_at }) => ({
      account,
      roles: [...roles],
      since: made_at as EpochMs,
      federations: federations
        .filter((row) => row.account === account)
        .map(({ issuer, audience, subject }) => ({ issuer, audience, subject })),
      keys: keys
        .filter((row) => row.account === account)
        .map(({ key, ends_at, federation }) => ({ key, ends: ends_at as EpochMs, federated: federation !== null })),
    }));
  });
}

/** Takes an account away with all that it could show; whether there was one. */
export function removeAccount(
  context: ControlPlaneContext,
  wisher: Wisher,
  account: ServiceAccountId,
): Promise<boolean> {
  const { org } = wisher;
  return context.changes.run(org, async (tx) => {
    const removed_at = context.clock.now();
    const removed = await tx
      .updateTable('service_account')
      .set({ removed_at })
      .where('account', '=', account)
      .where('removed_at', 'is', null)
      .returning('account')
      .executeTakeFirst();
    if (removed === undefined) return false;
    for (const table of ['federation', 'account_key'] as const)
      await tx
        .updateTable(table)
        .set({ removed_at })
        .where('account', '=', account)
        .where('removed_at', 'is', null)
        .execute();
    await context.record(tx, org, { type: 'service-account-removed', account, asker: wishedBy(wisher) });
    return true;
  });
}

/** A key of a service account, whose it is and what it may do. */
export interface KnownAccountKey {
  readonly key: AccountKeyId;
  readonly account: ServiceAccountId;
  readonly org: OrgId;
  readonly publicKey: SigningPublicKey;
  readonly roles: readonly Role[];
  readonly endsAt: number;
}

/** The key of an id, of whichever organisation, that counts now. */
export async function findAccountKey(
  { store, clock }: { readonly store: ControlPlaneStore; readonly clock: ControlPlaneContext['clock'] },
  key: AccountKeyId,
): Promise<KnownAccountKey | undefined> {
  const [row] = await store.querySystem(
    'authenticate-account-key',
    (db) =>
      db
        .selectFrom('account_key')
        .innerJoin('service_account', 'service_account.account', 'account_key.account')
        .select(['key', 'account_key.account', 'account_key.org', 'public_key', 'roles', 'ends_at'])
        .where('key', '=', key)
        .where('account_key.removed_at', 'is', null)
        .where('service_account.removed_at', 'is', null)
        .where('ends_at', '>', clock.now())
        .compile(),
    { readOnly: true },
  );
  if (row === undefined) return undefined;
  const { account, org, public_key: publicKey, roles, ends_at: endsAt } = row;
  return { key, account, org, publicKey, roles, endsAt };
}
