import { isId, type Clock, type DeviceId, type OrgId, type SessionId } from '@ringfence/base';
import {
  readSignatureInput,
  verifyRequest,
  type SignatureHeaders,
  type SignedRequest,
  type SignerId,
} from '@ringfence/protocol/api';
import type { Digest } from '@ringfence/crypto/sign';
import { StoreError } from '@ringfence/store';
import { sql } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import { countingRoles } from '../registration/device-roles.ts';
import { modeSince } from '../members/standing.ts';
import { authenticateAccount } from '../service-accounts/authenticate-account.ts';
import { authenticateSession } from '../sessions/authenticate-session.ts';
import type { KnownSessions } from '../sessions/known-sessions.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import type { AskerAssurance } from './assert-sure.ts';

/** How far a signature's time may be from ours, in seconds. */
const FRESH_WITHIN_S = 60;

/** Who signed a request. */
export interface Authenticated extends AskerAssurance {
  /**
   * For a request that changes something, when its turn has come: the same bytes are taken once, and of a device that was removed or locked
   * meanwhile, or a session that has ended, none. Throws ControlPlaneError `not-authenticated`.
   */
  readonly spendNonce: () => Promise<void>;
}

/** What tells who signed. */
export interface AuthenticateParts {
  readonly store: ControlPlaneStore;
  readonly clock: Clock;
  readonly sessions: KnownSessions;
}

/**
 * The device, session or service account whose fresh signature the request carries; changes nothing but when a session was last used.
 * Throws ControlPlaneError `not-authenticated` for every reason, with nothing that tells them apart.
 */
export async function authenticate(
  { store, clock, sessions }: AuthenticateParts,
  request: SignedRequest,
  headers: Readonly<Record<string, unknown>>,
): Promise<Authenticated> {
  const signed = signatureHeaders(headers);
  const parameters = signed === undefined ? undefined : readSignatureInput(signed['signature-input']);
  if (signed === undefined || parameters === undefined) throw refused();
  const nowSeconds = clock.now() / 1000;
  if (Math.abs(parameters.created - nowSeconds) > FRESH_WITHIN_S) throw refused();
  const { signer, nonce } = parameters;
  const expires_at = (parameters.created + 2 * FRESH_WITHIN_S) * 1000;
  if (isId('device', signer)) {
    const known = await authenticateDevice(store, { request, signed, device: signer });
    if (known === undefined) throw refused();
    const { org } = known.asker;
    return { ...known, spendNonce: () => spendNonce(store, { signer, nonce, org, expires_at }) };
  }
  if (isId('accountKey', signer)) {
    const asker = await authenticateAccount({ store, clock }, { request, signed, key: signer });
    if (asker === undefined) throw refused();
    const spent = { signer, nonce, org: asker.org, expires_at };
    return { asker, given: [], mode: 'factors', spendNonce: () => spendNonce(store, spent) };
  }
  const found = await authenticateSession(sessions, { request, signed, parameters, cookie: headers['cookie'] });
  if (found === undefined) throw refused();
  const { caller: asker, session } = found;
  const { factors: given, factors_since, token_digest } = session;
  const spent = { signer, nonce, org: asker.org, expires_at, token_digest };
  return { asker, given, mode: modeSince(factors_since), spendNonce: () => spendNonce(store, spent) };
}

async function authenticateDevice(
  store: ControlPlaneStore,
  { request, signed, device }: { request: SignedRequest; signed: SignatureHeaders; device: DeviceId },
): Promise<AskerAssurance | undefined> {
  const [party] = await store.querySystem(
    'authenticate-device',
    (db) =>
      db
        .selectFrom('party')
        .innerJoin('organisation', 'organisation.org', 'party.org')
        .leftJoin('member_device', 'member_device.device', 'party.id')
        .select(['party.org', 'sign_key', 'enrolment_key', 'roles', 'tells_roles', 'factors_since', 'member'])
        .where('id', '=', device)
        .where('role', '=', 'device')
        .where('removed', '=', false)
        .where('locked', 'is', null)
        .compile(),
    { readOnly: true },
  );
  if (party === undefined || !verifyRequest(request, signed, party.sign_key)) return undefined;
  const asker = {
    device,
    member: party.member ?? undefined,
    org: party.org,
    roles: countingRoles(party),
    keys: { device: party.sign_key, enrolment: party.enrolment_key },
  };
  return { asker, mode: modeSince(party.factors_since), given: [] };
}

interface NonceSpent {
  readonly signer: SignerId;
  readonly nonce: string;
  readonly org: OrgId;
  readonly expires_at: number;
  /** Of a session: the token that was shown has to be the one that it has now, on whichever replica it was drawn. */
  readonly token_digest?: Digest;
}

async function spendNonce(store: ControlPlaneStore, spending: NonceSpent): Promise<void> {
  const { signer, nonce, org, expires_at, token_digest = '' } = spending;
  const values = [
    sql<SignerId>`cast(${signer} as text)`.as('device'),
    sql<string>`cast(${nonce} as text)`.as('nonce'),
    sql<OrgId>`cast(${org} as text)`.as('org'),
    sql<number>`cast(${expires_at} as bigint)`.as('expires_at'),
  ] as const;
  try {
    const spent = await store.queryOrg(org, (db) => {
      const standing = isId('device', signer)
        ? db
            .selectFrom('party')
            .select(values)
            .where('id', '=', signer)
            .where('removed', '=', false)
            .where('locked', 'is', null)
        : isId('accountKey', signer)
          ? db.selectFrom('account_key').select(values).where('key', '=', signer).where('removed_at', 'is', null)
          : db
              .selectFrom('session')
              .select(values)
              .where('session', '=', signer as SessionId)
              .where('token_digest', '=', token_digest as Digest)
              .where('ended_at', 'is', null);
      return db
        .insertInto('spent_nonce')
        .columns(['device', 'nonce', 'org', 'expires_at'])
        .expression(standing)
        .returning('nonce')
        .compile();
    });
    if (spent.length === 0) throw refused();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'duplicate') throw refused();
    throw error;
  }
}

function signatureHeaders(headers: Readonly<Record<string, unknown>>): SignatureHeaders | undefined {
  const { 'content-digest': digest, 'signature-input': input, signature } = headers;
  if (typeof digest !== 'string' || typeof input !== 'string' || typeof signature !== 'string') return undefined;
  return { 'content-digest': digest, 'signature-input': input, signature };
}

function refused(): ControlPlaneError {
  return new ControlPlaneError(
    'not-authenticated',
    'the request carries no fresh signature of a known device or session',
    {
      next: 'check this machine’s clock, and with `ringfence doctor` that the device is in the keyring; in a browser, sign in again',
    },
  );
}
