import type { TokenId } from '@ringfence/policy/locks';
import { isId } from '@ringfence/base';
import {
  verifyRequest,
  type SignatureHeaders,
  type SignatureParameters,
  type SignedRequest,
} from '@ringfence/protocol/api';
import type { SessionCaller } from '../http/route.ts';
import type { KnownSession, KnownSessions } from './known-sessions.ts';
import { readSessionCookie } from './session-token.ts';

/** A request whose signature names a session. */
export interface SessionRequest {
  readonly request: SignedRequest;
  readonly signed: SignatureHeaders;
  readonly parameters: SignatureParameters;
  /** The `cookie` header. */
  readonly cookie: unknown;
}

/** The session whose cookie *and* signature a request carries; neither alone opens anything. Freshness and the nonce are the caller's to check. */
export async function authenticateSession(
  sessions: KnownSessions,
  { request, signed, parameters, cookie }: SessionRequest,
): Promise<{ readonly session: KnownSession; readonly caller: SessionCaller } | undefined> {
  const { signer } = parameters;
  const token = readSessionCookie(cookie);
  if (token === undefined || !isId('session', signer)) return undefined;
  const session = await sessions.find(token);
  if (session === undefined || session.session !== signer) return undefined;
  if (!verifyRequest(request, signed, session.public_key)) return undefined;
  await sessions.seen(session);
  const { org, member, roles } = session;
  return { session, caller: { session: signer, token: signer as string as TokenId, org, member, roles } };
}
