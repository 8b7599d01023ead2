import { isId, type EpochMs, type MemberId, type OrgId, type SessionId } from '@ringfence/base';
import { emptyBody, sessionList, sessionsEnded, type SessionList } from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import { sessionRoute, sharedRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { endSessions, type SessionsToEnd } from './end-sessions.ts';
import { SESSION_IDLE_MS } from './session-terms.ts';

/** Which browsers are signed in, and how that ends. */
export function sessionRoutes(context: ControlPlaneContext): Route[] {
  return [
    sharedRoute({
      method: 'GET',
      path: '/v1/sessions',
      summary: 'The organisation’s open sessions.',
      action: 'session:list',
      answer: sessionList,
      handle: (_, { org }) => listSessions(context, org),
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/sessions/:session/end',
      summary: 'Ends a session of the organisation.',
      action: 'session:end',
      body: emptyBody,
      answer: sessionsEnded,
      handle: async ({ parameters }, { org }) => ({
        ended: await endNow(context, org, { session: sessionId(parameters['session']) }),
      }),
    }),
    sessionRoute({
      method: 'GET',
      path: '/v1/account/sessions',
      summary: 'The open sessions of the member who asks.',
      answer: sessionList,
      handle: (_, { org, member }) => listSessions(context, org, member),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/sessions/:session/end',
      summary: 'Ends one of the sessions of the member who asks; the one that asks ends by signing out.',
      ceremony: 'session:end-own',
      body: emptyBody,
      answer: sessionsEnded,
      handle: async ({ parameters }, { org, member }) => ({
        ended: await endNow(context, org, { session: sessionId(parameters['session']), member }),
      }),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/sign-out',
      summary: 'Ends this session.',
      body: emptyBody,
      answer: sessionsEnded,
      handle: async ({ setSession }, { org, session }) => {
        const ended = await endNow(context, org, { session });
        setSession(undefined);
        return { ended };
      },
    }),
  ];
}

async function listSessions(
  { store, clock }: Pick<ControlPlaneContext, 'store' | 'clock'>,
  org: OrgId,
  member?: MemberId,
): Promise<SessionList> {
  const now = clock.now();
  const rows = await store.withOrg(org, (tx) => {
    const open = tx
      .selectFrom('session')
      .select(['session', 'member', 'made_at', 'seen_at', 'ends_at'])
      .where('ended_at', 'is', null)
      .where('ends_at', '>', now)
      .where('seen_at', '>', now - SESSION_IDLE_MS)
      .orderBy('seen_at', 'desc')
      .limit(1_000);
    return (member === undefined ? open : open.where('member', '=', member)).execute();
  });
  const at = (moment: number): EpochMs => moment as EpochMs;
  return {
    sessions: rows.map(({ made_at, seen_at, ends_at, ...row }) => ({
      ...row,
      since: at(made_at),
      seen: at(seen_at),
      until: at(ends_at),
    })),
  };
}

async function endNow(context: ControlPlaneContext, org: OrgId, which: SessionsToEnd): Promise<number> {
  const ended = await context.changes.run(org, (tx) => endSessions(context, tx, org, which));
  context.sessions.forget();
  return ended;
}

function sessionId(text: string | undefined): SessionId {
  if (text !== undefined && isId('session', text)) return text;
  throw new ControlPlaneError('not-found', 'there is no such session', { next: 'see `ringfence session ls`' });
}
