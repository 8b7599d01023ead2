import { fromUtf8, newId, Secret, utf8, type OrgId, type SsoProviderId } from '@ringfence/base';
import { openAtRest, sealAtRest, type RestingPlace } from '@ringfence/crypto/record';
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '@ringfence/protocol/api';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import { wishedBy, type Wisher } from '../http/wished-by.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { SsoProviderTable } from '../members/identity-tables.ts';
import type { ProviderTerms } from './provider-client.ts';

/** How many identity providers an organisation may have. */
const MOST_PROVIDERS = 20;

/** A provider as officers set it, with what the organisation takes its word for. */
export interface NewProvider extends ProviderTerms {
  readonly assures: 1 | 2;
  /** The `acr` without which its word counts for level 1 alone; null where any does. */
  readonly acr: string | null;
}

/** A provider of the table. */
export type StoredProvider = Selectable<SsoProviderTable>;

const algorithmList = z.array(z.enum(TOKEN_ALGORITHMS)).min(1);

/** Adds a provider. Throws ControlPlaneError `conflict` for one that is there, `too-much` for one too many. */
export async function addProvider(
  context: ControlPlaneContext,
  wisher: Wisher,
  { issuer, clientId, secret, algorithms, assures, acr }: NewProvider,
): Promise<SsoProviderId> {
  const { rng, clock, identity } = context;
  const { org } = wisher;
  const provider = newId('ssoProvider', rng);
  const secret_box = secret === null ? null : sealAtRest(identity.records, placeOf(provider), utf8(secret), rng);
  await context.changes.run(org, async (tx) => {
    if ((await providersIn(tx)).length >= MOST_PROVIDERS)
      throw new ControlPlaneError('too-much', 'there are as many identity providers as there may be', {
        next: 'remove one that is no longer used: `ringfence sso ls`',
      });
    const added = await tx
      .insertInto('sso_provider')
      .values({
        provider,
        org,
        issuer,
        client_id: clientId,
        secret_box,
        algorithms: JSON.stringify(algorithms),
        assures,
        acr,
        made_at: clock.now(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('provider')
      .executeTakeFirst();
    if (added === undefined)
      throw new ControlPlaneError('conflict', 'this client of this issuer is there already', {
        next: 'see `ringfence sso ls`; remove it to set it anew',
      });
    await context.record(tx, org, { type: 'sso-provider-added', provider, assures, asker: wishedBy(wisher) });
  });
  return provider;
}

/** The organisation's providers, oldest first. */
export function listProviders({ store }: Pick<ControlPlaneContext, 'store'>, org: OrgId): Promise<StoredProvider[]> {
  return store.withOrg(org, providersIn);
}

function providersIn(
  tx: Parameters<Parameters<ControlPlaneContext['changes']['run']>[1]>[0],
): Promise<StoredProvider[]> {
  return tx.selectFrom('sso_provider').selectAll().where('removed_at', 'is', null).orderBy('made_at').execute();
}

/** Takes a provider away, with the identities that were linked by it, of which each member is told; whether there was one. */
export async function removeProvider(
  context: ControlPlaneContext,
  wisher: Wisher,
  provider: SsoProviderId,
): Promise<boolean> {
  const { org } = wisher;
  return context.changes.run(org, async (tx) => {
    const removed = await tx
      .updateTable('sso_provider')
      .set({ removed_at: context.clock.now() })
      .where('provider', '=', provider)
      .where('removed_at', 'is', null)
      .returning('provider')
      .executeTakeFirst();
    if (removed === undefined) return false;
    const unlinked = await tx.deleteFrom('sso_identity').where('provider', '=', provider).returning('member').execute();
    const asker = wishedBy(wisher);
    await context.record(tx, org, { type: 'sso-provider-removed', provider, asker });
    for (const { member } of unlinked)
      await context.record(tx, org, { type: 'factor-removed', member, factor: 'sso', asker });
    return true;
  });
}

/** The provider of an id, of whichever organisation. Throws ControlPlaneError `not-found`. */
export async function findProvider(
  { store }: Pick<ControlPlaneContext, 'store'>,
  provider: SsoProviderId,
): Promise<StoredProvider> {
  const [row] = await store.querySystem(
    'find-sso-provider',
    (db) =>
      db
        .selectFrom('sso_provider')
        .selectAll()
        .where('provider', '=', provider)
        .where('removed_at', 'is', null)
        .compile(),
    { readOnly: true },
  );
  if (row !== undefined) return row;
  throw noSuchProvider();
}

/** The same answer for a provider of somebody else as for one that never was. */
export function noSuchProvider(): ControlPlaneError {
  return new ControlPlaneError('not-found', 'there is no such identity provider', {
    next: 'ask an officer for its link',
  });
}

/** What a client of a stored provider is made of. */
export function termsOf({ identity }: Pick<ControlPlaneContext, 'identity'>, row: StoredProvider): ProviderTerms {
  const { provider, issuer, client_id: clientId, secret_box } = row;
  const algorithms: readonly TokenAlgorithm[] = algorithmList.parse(row.algorithms);
  if (secret_box === null) return { issuer, clientId, secret: null, algorithms };
  using opened = new Secret(openAtRest(identity.records, placeOf(provider), secret_box));
  return { issuer, clientId, secret: fromUtf8(opened.expose()), algorithms };
}

function placeOf(provider: SsoProviderId): RestingPlace {
  return { table: 'sso_provider', column: 'secret_box', row: provider };
}
