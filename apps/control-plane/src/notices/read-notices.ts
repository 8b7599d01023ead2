import type { EpochMs, MemberId } from '@ringfence/base';
import { mayLift } from '@ringfence/policy/locks';
import type { KeptNotice, Notice, OfficersNotice } from '@ringfence/protocol/api';
import { readLocks } from '@ringfence/store/locks';
import type { Asker } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { standingOf } from '../members/standing.ts';
import { toldTries } from '../members/wrong-tries.ts';
import type { Tx } from '../store/open-store.ts';
import { newestHundred, MOST_NOTICES } from './newest-hundred.ts';
import { noticeText } from './notice-text.ts';
import { endingSoon, waitingWishes, type Told } from './officers-notices.ts';

type Parts = Pick<ControlPlaneContext, 'store' | 'clock' | 'identity'>;
type AnyTold = Told<KeptNotice | OfficersNotice>;

/** What who asks is told of their account, and officers of what waits and ends: {@link newestHundred}. */
export async function readNotices(parts: Parts, asker: Asker): Promise<Notice[]> {
  const { store, clock } = parts;
  const { member } = await standingOf(parts, asker);
  const now = clock.now();
  const { kept, name, officers } = await store.withOrg(
    asker.org,
    async (tx) => ({
      kept: member === null ? [] : await keptOf(tx, member),
      name: member === null ? undefined : await nameOf(tx, member),
      officers: mayLift(asker.roles) ? await officersOwn(tx, now) : [],
    }),
    { readOnly: true },
  );
  const tries = name === undefined ? [] : await triesOf(parts, name);
  const own = [...tries, ...kept];
  return newestHundred({ officers, own }).map((told) => ({ ...told, text: noticeText(told.about) }));
}

async function keptOf(tx: Tx, member: MemberId): Promise<AnyTold[]> {
  const rows = await tx
    .selectFrom('notice')
    .select(['seq', 'at', 'about'])
    .where('member', '=', member)
    .orderBy('seq', 'desc')
    .limit(MOST_NOTICES)
    .execute();
  return rows.map(({ seq, at, about }) => ({ id: `event-${seq}`, at: at as EpochMs, about }));
}

async function nameOf(tx: Tx, member: MemberId): Promise<string | undefined> {
  const row = await tx.selectFrom('member').select('sign_in_name').where('member', '=', member).executeTakeFirst();
  return row?.sign_in_name;
}

async function triesOf(parts: Parts, name: string): Promise<AnyTold[]> {
  const known = await toldTries(parts, name);
  if (known === undefined) return [];
  const { at, ...tries } = known;
  return [{ id: `tries-${at}`, at, about: { kind: 'wrong-tries', ...tries } }];
}

async function officersOwn(tx: Tx, now: EpochMs): Promise<AnyTold[]> {
  const keys = await tx
    .selectFrom('account_key')
    .select(['key', 'account', 'made_at', 'ends_at'])
    .where('federation', 'is', null)
    .where('removed_at', 'is', null)
    .where('ends_at', '>', now)
    .orderBy('ends_at')
    .limit(MOST_NOTICES)
    .execute();
  const invitations = await tx
    .selectFrom('invitation')
    .select(['invitation', 'member', 'made_at', 'expires_at'])
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('expires_at')
    .limit(MOST_NOTICES)
    .execute();
  const endings = [
    ...keys.map(({ key, account, made_at, ends_at }) => ({
      what: { kind: 'account-key', key, account } as const,
      madeAt: made_at,
      endsAt: ends_at,
    })),
    ...invitations.map(({ invitation, member, made_at, expires_at }) => ({
      what: { kind: 'invitation', invitation, member } as const,
      madeAt: made_at,
      endsAt: expires_at,
    })),
  ];
  return [
    ...(await readLocks(tx)).flatMap(waitingWishes),
    ...endings.toSorted((one, other) => one.endsAt - other.endsAt).flatMap((ending) => endingSoon(ending, now) ?? []),
  ];
}
