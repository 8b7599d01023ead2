// A server of ours that speaks the wire of Google Cloud KMS (REST v1, symmetric keys) and checks the tokens that service accounts sign
// themselves. It is NOT Google: it is what tests can start. Google's own client has to accept it.
import { createCipheriv, createDecipheriv, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import type { TestContext } from 'node:test';
import { jwtVerify } from 'jose';
import { systemClock } from '@ringfence/base/platform';
import { startTlsService, type ServiceAnswer, type ServiceRequest, type TlsService } from '../tls-service.fixture.ts';
import { crc32c } from './crc32c.ts';

type VersionState = 'ENABLED' | 'DISABLED' | 'DESTROYED' | 'DESTROY_SCHEDULED';
interface VersionRow {
  readonly material: Buffer;
  state: VersionState;
  destroyTime: string | undefined;
}

/** One key, and what its owner does beside the API. */
export interface GcpKmsServer extends TlsService {
  readonly versions: Map<string, VersionRow>;
  primary: string;
  /** Whether the account has the role; without it each request is denied. */
  allowed: boolean;
  /** What is damaged on its way from the server. */
  damaged: 'plaintext' | 'ciphertext' | undefined;
  /** The key file of the one service account, as Google gives it out. */
  readonly credentialsFile: string;
}

/** Its one key. */
export const KEY = 'projects/acme/locations/europe-west3/keyRings/ringfence/cryptoKeys/kek';
const ACCOUNT = 'custodian@acme.iam.gserviceaccount.com';
const KEY_ID = 'f00dfeed';
const DAY_MS = 86_400_000;

/** Starts it with a key of one version. */
export async function startGcpKmsServer(t: TestContext): Promise<GcpKmsServer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const service = await startTlsService(t, async (request) =>
    (await authentic(request, publicKey)) ? answer(server, request) : fail(401, 'UNAUTHENTICATED'),
  );
  const credentialsFile = service.secretFile(
    'service-account.json',
    JSON.stringify({
      type: 'service_account',
      project_id: 'acme',
      private_key_id: KEY_ID,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: ACCOUNT,
      client_id: '1',
      token_uri: 'https://oauth2.googleapis.com/token',
    }),
  );
  const server: GcpKmsServer = Object.assign(service, {
    versions: new Map([['1', newVersion()]]),
    primary: '1',
    allowed: true,
    damaged: undefined,
    credentialsFile,
  });
  return server;
}

function newVersion(): VersionRow {
  return { material: randomBytes(32), state: 'ENABLED', destroyTime: undefined };
}

/** A token names its audience, or the scope that it is for (AIP-4111). */
async function authentic({ headers }: ServiceRequest, key: KeyObject): Promise<boolean> {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  try {
    const { payload, protectedHeader } = await jwtVerify(token, key, {
      algorithms: ['RS256'],
      issuer: ACCOUNT,
      subject: ACCOUNT,
    });
    const { iat = 0, exp = 0, aud, scope } = payload;
    const scopes = typeof scope === 'string' ? scope.split(' ') : [];
    const meant =
      aud === 'https://cloudkms.googleapis.com/' ||
      scopes.some((each) => /\/auth\/(cloud-platform|cloudkms)$/.test(each));
    return protectedHeader.kid === KEY_ID && meant && exp - iat <= 3_600;
  } catch {
    return false;
  }
}

function answer(server: GcpKmsServer, { method, target, json }: ServiceRequest): ServiceAnswer {
  if (!server.allowed) return fail(403, 'PERMISSION_DENIED');
  const path = decodeURIComponent(target.split('?', 1)[0] ?? '');
  const found = new RegExp(`^/v1/${KEY}(?:/cryptoKeyVersions/(\\d+))?(?::(\\w+))?$`).exec(path);
  if (path === `/v1/${KEY}/cryptoKeyVersions` && method === 'POST') return added(server);
  if (found === null) return fail(404, 'NOT_FOUND');
  const [, version, action = ''] = found;
  const row = server.versions.get(version ?? server.primary);
  if (row === undefined) return fail(404, 'NOT_FOUND');
  const name = version ?? server.primary;
  if (method === 'GET' && action === '') {
    const view = viewOf(server, name);
    return version === undefined ? ok({ name: KEY, purpose: 'ENCRYPT_DECRYPT', primary: view }) : ok(view);
  }
  if (method !== 'POST') return fail(404, 'NOT_FOUND');
  if (action === 'destroy') return destroyed(server, name, row);
  if (action === 'updatePrimaryVersion') {
    server.primary = String(json['cryptoKeyVersionId']);
    return ok({ name: KEY, purpose: 'ENCRYPT_DECRYPT', primary: viewOf(server, server.primary) });
  }
  if (action === 'encrypt') return encrypt(server, { name, row }, json);
  return action === 'decrypt' && version === undefined ? decrypt(server, json) : fail(404, 'NOT_FOUND');
}

function added(server: GcpKmsServer): ServiceAnswer {
  const name = String(server.versions.size + 1);
  server.versions.set(name, newVersion());
  return ok(viewOf(server, name));
}

function destroyed(server: GcpKmsServer, name: string, row: VersionRow): ServiceAnswer {
  if (row.state === 'DESTROYED' || row.state === 'DESTROY_SCHEDULED') return fail(400, 'FAILED_PRECONDITION');
  row.state = 'DESTROY_SCHEDULED';
  // oxlint-disable-next-line no-restricted-globals -- writes out a moment that the clock gave
  row.destroyTime = new Date(systemClock.now() + 30 * DAY_MS).toISOString();
  return ok(viewOf(server, name));
}

function viewOf({ versions }: GcpKmsServer, name: string): object {
  const { state, destroyTime } = versions.get(name) ?? newVersion();
  const at = destroyTime === undefined ? {} : { destroyTime };
  return {
    name: `${KEY}/cryptoKeyVersions/${name}`,
    state,
    protectionLevel: 'HSM',
    algorithm: 'GOOGLE_SYMMETRIC_ENCRYPTION',
    ...at,
  };
}

type Body = ServiceRequest['json'];

/** What a body says in base64; undefined when its checksum is of something else. */
function field(json: Body, name: string): { readonly bytes: Buffer; readonly checked: boolean } | undefined {
  const bytes = Buffer.from(typeof json[name] === 'string' ? json[name] : '', 'base64');
  const claimed = json[`${name}Crc32c`];
  if (claimed !== undefined && Number(claimed) !== crc32c(bytes)) return undefined;
  return { bytes, checked: claimed !== undefined };
}

function encrypt(server: GcpKmsServer, { name, row }: { name: string; row: VersionRow }, json: Body): ServiceAnswer {
  const [plaintext, aad] = [field(json, 'plaintext'), field(json, 'additionalAuthenticatedData')];
  if (plaintext === undefined || aad === undefined) return fail(400, 'INVALID_ARGUMENT');
  if (row.state !== 'ENABLED') return fail(400, 'FAILED_PRECONDITION');
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', row.material, iv).setAAD(aad.bytes);
  const parts = [cipher.update(plaintext.bytes), cipher.final(), cipher.getAuthTag()];
  const box = Buffer.concat([Buffer.from([0x0a, Number(name)]), iv, ...parts]);
  return ok({
    name: `${KEY}/cryptoKeyVersions/${name}`,
    ciphertext: (server.damaged === 'ciphertext' ? bent(box) : box).toString('base64'),
    ciphertextCrc32c: String(crc32c(box)),
    verifiedPlaintextCrc32c: plaintext.checked,
    verifiedAdditionalAuthenticatedDataCrc32c: aad.checked,
    protectionLevel: 'HSM',
  });
}

function decrypt(server: GcpKmsServer, json: Body): ServiceAnswer {
  const [box, aad] = [field(json, 'ciphertext'), field(json, 'additionalAuthenticatedData')];
  if (box === undefined || aad === undefined || box.bytes.length < 30 || box.bytes[0] !== 0x0a)
    return fail(400, 'INVALID_ARGUMENT');
  const name = String(box.bytes[1]);
  const row = server.versions.get(name);
  if (row === undefined) return fail(400, 'INVALID_ARGUMENT');
  if (row.state !== 'ENABLED') return fail(400, 'FAILED_PRECONDITION');
  const decipher = createDecipheriv('aes-256-gcm', row.material, box.bytes.subarray(2, 14))
    .setAAD(aad.bytes)
    .setAuthTag(box.bytes.subarray(-16));
  try {
    const plaintext = Buffer.concat([decipher.update(box.bytes.subarray(14, -16)), decipher.final()]);
    return ok({
      plaintext: (server.damaged === 'plaintext' ? bent(plaintext) : plaintext).toString('base64'),
      plaintextCrc32c: String(crc32c(plaintext)),
      usedPrimary: name === server.primary,
      protectionLevel: 'HSM',
    });
  } catch {
    return fail(400, 'INVALID_ARGUMENT');
  }
}

function bent(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
  return copy;
}

function ok(json: object): ServiceAnswer {
  return { status: 200, json };
}

function fail(code: number, status: string): ServiceAnswer {
  return { status: code, json: { error: { code, message: status.toLowerCase(), status } } };
}
