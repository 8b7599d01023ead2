import type { Clock } from '@ringfence/base';
import { readSignatureInput, verifyRequest, type SignatureHeaders, type SignedRequest } from '@ringfence/protocol/api';
import { StoreError } from '@ringfence/store';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import type { Caller } from './route.ts';

/** How far a signature's time may be from ours, in seconds. */
const FRESH_WITHIN_S = 60;

/**
 * The device whose fresh signature the request carries. A request that changes something spends its nonce, so the same bytes are taken once.
 * Throws ControlPlaneError `not-authenticated` for every reason, with nothing that tells them apart.
 */
export async function authenticate(
  store: ControlPlaneStore,
  clock: Clock,
  request: SignedRequest,
  headers: Readonly<Record<string, unknown>>,
): Promise<Caller> {
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
  if (request.method !== 'GET') {
    const expires_at = (parameters.created + 2 * FRESH_WITHIN_S) * 1000;
    await spendNonce(store, { device, nonce, org: party.org, expires_at });
  }
  return { device, org: party.org, keys: { device: party.sign_key, enrolment: party.enrolment_key } };
}

async function spendNonce(
  store: ControlPlaneStore,
  row: { device: Caller['device']; nonce: string; org: Caller['org']; expires_at: number },
): Promise<void> {
  try {
    await store.queryOrg(row.org, (db) => db.insertInto('spent_nonce').values(row).compile());
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
