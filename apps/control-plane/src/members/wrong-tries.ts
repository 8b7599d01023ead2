import type { EpochMs, MemberId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { keyedDigest } from './keyed-digest.ts';
import { tooSoon } from './too-soon.ts';

/** The wait after the first wrong try, and the longest; it doubles in between. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 900_000;
const MOST_DOUBLINGS = 10;
/** After so long without a try the wait begins anew. */
const QUIET_MS = 86_400_000;
/** Of so many the name's member is told. */
export const MANY_TRIES = 5;

type Parts = Pick<ControlPlaneContext, 'store' | 'clock' | 'identity'>;

type TryParts = Parts & Pick<ControlPlaneContext, 'record'>;

interface Tries {
  readonly tries: number;
  readonly earlier: number;
  readonly half_right: boolean;
}

interface WrongTries {
  readonly tries: number;
  readonly halfRight: boolean;
}

/** A try of a name that counts as wrong until it turns out right; the same for a name that nobody has. */
export interface NamedTry {
  /** Tells the member of the wrong ones before, where they were many or half right: in the transaction that lets them in. */
  readonly tell: (tx: Tx, whose: { readonly org: OrgId; readonly member: MemberId }) => Promise<void>;
  /** Forgets the wrong ones before, after that: who is killed in between is told again. */
  readonly right: () => Promise<void>;
  /** Keeps whether one factor of a wrong one was right: the same work where none was, which is for nobody to learn. */
  readonly wrong: (halfRight: boolean) => Promise<void>;
}

/**
 * Begins a try of `name`: of many at once one begins, over all replicas, since the statement that lets it begin makes the next one wait. Throws
 * ControlPlaneError `too-much` for a try before its time, which counts as none.
 */
export async function beginTry(parts: TryParts, name: string): Promise<NamedTry> {
  const { store, clock } = parts;
  const bucket = bucketOf(parts, name);
  const now = clock.now();
  const isQuiet = sql`known.until_at < ${now - QUIET_MS}`;
  const begun = await store.withSystem('wrong-tries', (tx) =>
    sql<Tries>`
      insert into wrong_try as known (bucket, tries, until_at) values (${bucket}, 1, ${now + FIRST_WAIT_MS})
      on conflict (bucket) do update set
        earlier = known.earlier + case when ${isQuiet} then known.tries else 0 end,
        tries = 1 + case when ${isQuiet} then 0 else known.tries end,
        until_at = ${now} + least(${LONGEST_WAIT_MS},
          ${FIRST_WAIT_MS} * 2 ^ least(case when ${isQuiet} then 0 else known.tries end, ${MOST_DOUBLINGS}))::bigint
      where known.until_at <= ${now}
      returning tries, earlier, half_right`.execute(tx),
  );
  const [row] = begun.rows;
  if (row === undefined) throw tooSoon(await waitOf(store, bucket, now));
  const before = { tries: row.tries + row.earlier - 1, halfRight: row.half_right };
  return {
    tell: async (tx, { org, member }) => {
      if (isTold(before)) await parts.record(tx, org, { type: 'wrong-tries', member, ...before });
    },
    right: async () => {
      // A try beside this one that turned out half right is still to be told of.
      await store.withSystem('wrong-tries', (tx) =>
        tx.deleteFrom('wrong_try').where('bucket', '=', bucket).where('half_right', '=', before.halfRight).execute(),
      );
    },
    wrong: async (halfRight) => {
      await store.withSystem('wrong-tries', (tx) =>
        sql`update wrong_try set half_right = half_right or ${halfRight} where bucket = ${bucket}`.execute(tx),
      );
    },
  };
}

/** Wrong tries of a name that its member is to be told of, and until when no other counts; undefined where there are none. */
export async function toldTries(
  parts: Parts,
  name: string,
): Promise<(WrongTries & { readonly at: EpochMs; readonly until: EpochMs }) | undefined> {
  const [row] = await parts.store.querySystem(
    'wrong-tries',
    (db) => db.selectFrom('wrong_try').selectAll().where('bucket', '=', bucketOf(parts, name)).compile(),
    { readOnly: true },
  );
  if (row === undefined) return undefined;
  const tries = { tries: row.tries + row.earlier, halfRight: row.half_right };
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(row.tries - 1, MOST_DOUBLINGS));
  return isTold(tries) ? { ...tries, at: (row.until_at - wait) as EpochMs, until: row.until_at as EpochMs } : undefined;
}

/** {@link beginTry} by somebody at an address: what comes too soon counts there, so a flood is sent away without a look into the database. */
export async function beginTryFrom(
  parts: TryParts & Pick<ControlPlaneContext, 'addressTries'>,
  { name, address }: { readonly name: string; readonly address: string },
): Promise<NamedTry> {
  parts.addressTries.assertMayTry(address);
  return beginTry(parts, name).catch((error: unknown) => {
    if (error instanceof ControlPlaneError && error.code === 'too-much') parts.addressTries.wrong(address);
    throw error;
  });
}

async function waitOf(store: Parts['store'], bucket: string, now: number): Promise<number> {
  const [row] = await store.querySystem('wrong-tries', (db) =>
    db.selectFrom('wrong_try').select('until_at').where('bucket', '=', bucket).compile(),
  );
  return Math.max(0, (row?.until_at ?? now) - now);
}

function isTold({ tries, halfRight }: WrongTries): boolean {
  return tries >= MANY_TRIES || halfRight;
}

function bucketOf({ identity }: Pick<Parts, 'identity'>, name: string): string {
  return keyedDigest(identity.records, 'wrong-try', name);
}
