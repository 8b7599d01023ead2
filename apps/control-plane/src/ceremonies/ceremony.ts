import {
  epochMs,
  newId,
  toBase64Url,
  type CeremonyId,
  type EpochMs,
  type MemberId,
  type OrgId,
  type SsoProviderId,
} from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Selectable } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { CeremonyTable, FactorHolder } from '../members/identity-tables.ts';

/** What somebody has begun and not yet ended, and for whom. */
export interface NewCeremony {
  readonly kind: CeremonyTable['kind'];
  /** Digest of what names the browser that began it: only that one ends it. */
  readonly browser: Digest;
  /** Whose it is, where that is known: of a sign-in it is not. */
  readonly of?: {
    readonly org: OrgId;
    readonly member?: MemberId | undefined;
    readonly holder?: FactorHolder | undefined;
  };
  readonly forDigest?: Digest | undefined;
  readonly provider?: SsoProviderId | undefined;
}

/** What its maker may fill in once its id is drawn. */
export interface CeremonySecrets {
  readonly challenge: string;
  readonly secretBox?: Uint8Array | undefined;
}

/** A ceremony that waits for its answer. */
export interface OpenCeremony {
  readonly ceremony: CeremonyId;
  readonly challenge: string;
  readonly expiresAt: EpochMs;
}

/** How long a person has for it; NIST SP 800-63B-4 names no figure, WebAuthn §15.1 recommends 5 to 10 minutes where a user is verified. */
export const CEREMONY_MS = 5 * 60_000;

type Context = Pick<ControlPlaneContext, 'store' | 'clock' | 'rng'>;

/** 256 random bits, in base64url. */
export function freshChallenge({ rng }: Pick<Context, 'rng'>): string {
  return toBase64Url(rng.bytes(32));
}

/** Writes down what was begun; its challenge is unlike every other. */
export async function beginCeremony(
  context: Context,
  { kind, browser, of, forDigest, provider }: NewCeremony,
  secretsOf: (ceremony: CeremonyId) => CeremonySecrets = () => ({ challenge: freshChallenge(context) }),
): Promise<OpenCeremony> {
  const { store, clock, rng } = context;
  const ceremony = newId('ceremony', rng);
  const { challenge, secretBox } = secretsOf(ceremony);
  const now = clock.now();
  const expiresAt = epochMs(now + CEREMONY_MS);
  await store.querySystem('begin-ceremony', (db) =>
    db
      .insertInto('ceremony')
      .values({
        ceremony,
        kind,
        challenge,
        org: of?.org ?? null,
        member: of?.member ?? null,
        holder: of?.holder ?? null,
        browser_digest: browser,
        for_digest: forDigest ?? null,
        provider: provider ?? null,
        secret_box: secretBox ?? null,
        made_at: now,
        expires_at: expiresAt,
      })
      .compile(),
  );
  return { ceremony, challenge, expiresAt };
}

/** What names a ceremony and who may end it. */
export interface CeremonyEnd {
  readonly ceremony: CeremonyId;
  readonly kind: CeremonyTable['kind'];
  readonly browser: Digest;
  /** The session or device that it was begun for; null for a sign-in. */
  readonly holder: FactorHolder | null;
}

/** A ceremony's row, whose challenge counts for nobody else from now on. */
export type SpentCeremony = Selectable<CeremonyTable>;

/**
 * Spends a ceremony, by one statement: of any number who try at once one gets it. Undefined for one that is unknown, spent, late, of another
 * kind, browser or holder.
 */
export async function spendCeremony(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  { ceremony, kind, browser, holder }: CeremonyEnd,
): Promise<SpentCeremony | undefined> {
  const now = clock.now();
  const [spent] = await store.querySystem('spend-ceremony', (db) =>
    db
      .updateTable('ceremony')
      .set({ spent_at: now })
      .where('ceremony', '=', ceremony)
      .where('kind', '=', kind)
      .where('browser_digest', '=', browser)
      .where('holder', 'is not distinct from', holder)
      .where('spent_at', 'is', null)
      .where('expires_at', '>', now)
      .returningAll()
      .compile(),
  );
  return spent;
}

/** A ceremony that waits for its answer, without spending it: what a second browser has to show before its person answers. */
export async function openCeremony(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  { ceremony, kind, browser }: Omit<CeremonyEnd, 'holder'>,
): Promise<SpentCeremony | undefined> {
  const now = clock.now();
  const [open] = await store.querySystem('spend-ceremony', (db) =>
    db
      .selectFrom('ceremony')
      .selectAll()
      .where('ceremony', '=', ceremony)
      .where('kind', '=', kind)
      .where('browser_digest', '=', browser)
      .where('spent_at', 'is', null)
      .where('expires_at', '>', now)
      .compile(),
  );
  return open;
}

/** Drops ceremonies that nobody can end any more. */
export async function forgetCeremonies({ store, clock }: Pick<Context, 'store' | 'clock'>): Promise<void> {
  const now = clock.now();
  await store.querySystem('forget-ceremonies', (db) =>
    db
      .deleteFrom('ceremony')
      .where('expires_at', '<', now - CEREMONY_MS)
      .compile(),
  );
}
