import type { Clock } from '@ringfence/base';
import { readSignatureInput, verifyRequest, type SignatureHeaders, type SignedRequest } from '@ringfence/protocol/api';
import { StoreError } from '@ringfence/store';
import { sql, type Selectable } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import type { SpentNonceTable } from '../store/tables.ts';
import type { Caller } from './route.ts';

/** How far a signature's time may be from ours, in seconds. */
const FRESH_WITHIN_S = 60;

/** Who signed a request. */
export interface Authenticated {
  readonly caller: Caller;
  /**
   * For a request that changes something, when its turn has come: the same bytes are taken once, and of a device that was removed or locked
   * meanwhile none. Throws ControlPlaneError `not-authenticated`.
   */
  readonly spendNonce: () => Promise<void>;
}

/**
 * The device whose fresh signature the request carries; changes nothing.
 * Throws ControlPlaneError `not-authenticated` for every reason, with nothing that tells them apart.
 */
export async function authenticate(
  store: ControlPlaneStore,
  clock: Clock,
  request: SignedRequest,
  headers: Readonly<Record<string, unknown>>,
): Promise<Authenticated> {
  const signed = signatureHeaders(headers);
  const parameters = signed === undefined ? undefined : readSignatureInput(signed['signature-input']);
  if (signed === undefined || parameters === undefined) throw refused();
  const nowSeconds = clock.now() / 1000;
  if (Math.abs(parameters.created - nowSeconds) > FRESH_WITHIN_S) throw refused();
  const { device, nonce } = parameters;
  const [party] = await store.querySystem(
    'authenticate-device',
    (db) =>
      db
        .selectFrom('party')
        .innerJoin('organisation', 'organisation.org', 'party.org')
        .select(['party.org', 'sign_key', 'enrolment_key'])
        .where('id', '=', device)
        .where('role', '=', 'device')
        .where('removed', '=', false)
        .where('locked', 'is', null)
        .compile(),
    { readOnly: true },
  );
  if (party === undefined || !verifyRequest(request, signed, party.sign_key)) throw refused();
  const expires_at = (parameters.created + 2 * FRESH_WITHIN_S) * 1000;
  return {
    caller: { device, org: party.org, keys: { device: party.sign_key, enrolment: party.enrolment_key } },
    spendNonce: () => spendNonce(store, { device, nonce, org: party.org, expires_at }),
  };
}

async function spendNonce(
  store: ControlPlaneStore,
  { device, nonce, org, expires_at }: Selectable<SpentNonceTable>,
): Promise<void> {
  try {
    const spent = await store.queryOrg(org, (db) =>
      db
        .insertInto('spent_nonce')
        .columns(['device', 'nonce', 'org', 'expires_at'])
        .expression(
          db
            .selectFrom('party')
            .select([
              sql<string>`id`.as('device'),
              sql<string>`cast(${nonce} as text)`.as('nonce'),
              'org',
              sql<number>`cast(${expires_at} as bigint)`.as('expires_at'),
            ])
            .where('id', '=', device)
            .where('removed', '=', false)
            .where('locked', 'is', null),
        )
        .returning('nonce')
        .compile(),
    );
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
  return new ControlPlaneError('not-authenticated', 'the request carries no fresh signature of a known device', {
    next: 'check this machine’s clock, and with `ringfence doctor` that the device is in the keyring',
  });
}
