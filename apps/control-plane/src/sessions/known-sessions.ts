import type { Clock, MemberId, MonotonicMs, OrgId, Secret, SessionId } from '@ringfence/base';
import type { Digest, SigningPublicKey } from '@ringfence/crypto/sign';
import type { Role } from '@ringfence/policy/authorise';
import { sql } from 'kysely';
import type { GivenFactor } from '../members/given-factors.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { goesOn, type SessionTimes } from './session-terms.ts';
import { sessionTokenDigest } from './session-token.ts';

/** An open session, whose it is, and what was given to it. */
export interface KnownSession extends SessionTimes {
  readonly session: SessionId;
  /** Of the token that it has now: a step-up draws another one. */
  readonly token_digest: Digest;
  readonly org: OrgId;
  readonly member: MemberId;
  readonly public_key: SigningPublicKey;
  readonly roles: readonly Role[];
  readonly factors_since: number | null;
  readonly factors: readonly GivenFactor[];
}

/** How long a session that was read is not read again: what another replica ended goes on here for so long, and changes nothing. */
const FRESH_FOR_MS = 1_000;
const MOST_KEPT = 20_000;
/** How exactly a session's last use is known. */
const SEEN_WITHIN_MS = 60_000;

interface Kept {
  readonly found: KnownSession;
  readonly readAt: MonotonicMs;
}

/** Sessions by their tokens, read from the database at most once a second each. */
export class KnownSessions {
  readonly #store: ControlPlaneStore;
  readonly #clock: Clock;
  readonly #kept = new Map<Digest, Kept>();

  constructor(store: ControlPlaneStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The session of a token that goes on now. */
  async find(token: Secret): Promise<KnownSession | undefined> {
    const digest = sessionTokenDigest(token);
    const kept = this.#kept.get(digest);
    const isFresh = kept !== undefined && this.#clock.monotonic() - kept.readAt < FRESH_FOR_MS;
    const found = isFresh ? kept.found : await this.#read(digest);
    return found !== undefined && goesOn(found, this.#clock.now()) ? found : undefined;
  }

  /** Reads every session again at its next use. */
  forget(): void {
    this.#kept.clear();
  }

  /** Notes that a session is used, once a minute. */
  async seen({ session, org, seen_at }: KnownSession): Promise<void> {
    const now = this.#clock.now();
    if (now - seen_at < SEEN_WITHIN_MS) return;
    await this.#store.queryOrg(org, (db) =>
      db
        .updateTable('session')
        .set({ seen_at: now })
        .where('session', '=', session)
        .where('ended_at', 'is', null)
        .where('seen_at', '<', now)
        .compile(),
    );
    this.forget();
  }

  async #read(digest: Digest): Promise<KnownSession | undefined> {
    const readAt = this.#clock.monotonic();
    const [found] = await this.#store.querySystem(
      'authenticate-session',
      (db) =>
        db
          .selectFrom('session')
          .innerJoin('member', 'member.member', 'session.member')
          .innerJoin('organisation', 'organisation.org', 'session.org')
          .select([
            'session',
            'token_digest',
            'session.org',
            'session.member',
            'public_key',
            'seen_at',
            'ends_at',
            'roles',
            'factors_since',
          ])
          .select(
            sql<readonly GivenFactor[]>`coalesce((
              select jsonb_agg(jsonb_build_object('kind', kind, 'at', at, 'traits', traits)) from given_factor where holder = session.session
            ), '[]')`.as('factors'),
          )
          .where('token_digest', '=', digest)
          .where('ended_at', 'is', null)
          .where('member.state', '=', 'active')
          .compile(),
      { readOnly: true },
    );
    this.#kept.delete(digest);
    if (found === undefined) return undefined;
    this.#kept.set(digest, { found, readAt });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return found;
  }
}
