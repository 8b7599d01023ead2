import type { EpochMs, MemberId, OrgId } from '@ringfence/base';
import type { Factor } from '@ringfence/policy/assurance';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { FactorHolder, FactorTraits, GivenFactorTable } from './identity-tables.ts';

/** A proof that this control plane verified, and when. */
export interface GivenFactor {
  readonly kind: GivenFactorTable['kind'];
  readonly at: EpochMs;
  readonly traits: FactorTraits;
}

/** Who gave it: the browser or device that it is bound to, and whose that is. */
export interface FactorGiver {
  readonly org: OrgId;
  readonly member: MemberId;
  readonly holder: FactorHolder;
}

/** Keeps a factor for the session or device that gave it; one of the same kind replaces an older one. */
export async function giveFactor(tx: Tx, giver: FactorGiver, { kind, at, traits }: GivenFactor): Promise<void> {
  const { org, member, holder } = giver;
  const written = JSON.stringify(traits);
  await tx
    .insertInto('given_factor')
    .values({ holder, kind, org, member, at, traits: written })
    .onConflict((conflict) =>
      conflict
        .columns(['holder', 'kind'])
        .doUpdateSet({ at, traits: written, member })
        .where('given_factor.at', '<=', at),
    )
    .execute();
}

/** What was given to a session or device. */
export async function givenTo(
  store: ControlPlaneStore,
  org: OrgId,
  holder: FactorHolder,
): Promise<readonly GivenFactor[]> {
  const rows = await store.queryOrg(
    org,
    (db) => db.selectFrom('given_factor').select(['kind', 'at', 'traits']).where('holder', '=', holder).compile(),
    { readOnly: true },
  );
  return rows.map(({ kind, at, traits }) => ({ kind, at: at as EpochMs, traits }));
}

/** A given factor as assurance counts it; one whose traits are not all there counts as the weakest of its kind (invariant 4). */
export function asFactor({ kind, at, traits }: GivenFactor): Factor {
  switch (kind) {
    case 'passkey':
      return {
        kind,
        at,
        userVerified: traits.userVerified ?? false,
        mayBeCopied: traits.mayBeCopied ?? true,
      };
    case 'sso':
      return { kind, at, assures: traits.assures ?? 1 };
    case 'password':
    case 'totp':
    case 'recovery-code':
      return { kind, at };
  }
}
