// A server of ours that speaks the wire of the Transit engine of HashiCorp Vault and OpenBao (HTTP API, "Transit secrets engine"; behaviour
// as in OpenBao's builtin/logical/transit). It is NOT Vault: it is what tests can start. An independent client has to accept it.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { startTlsService, type ServiceAnswer, type ServiceRequest, type TlsService } from '../tls-service.fixture.ts';

interface TransitKeyRow {
  readonly type: string;
  readonly versions: Map<number, { readonly key: Buffer; readonly made: number }>;
  latest: number;
  minAvailable: number;
  minDecryption: number;
  minEncryption: number;
  deletionAllowed: boolean;
}

/** A token, and what its policy lets it do on the engine's paths: `create` is what lets `encrypt` make a key. */
export type TransitToken = {
  readonly text: string;
  readonly may: ReadonlySet<'read' | 'update' | 'create' | 'delete'>;
};

/** The server, and what its operator does beside its API. */
export interface TransitServer extends TlsService {
  readonly tokens: Map<string, TransitToken>;
  readonly keys: Map<string, TransitKeyRow>;
  /** Who may log in: role id to its secret id and the seconds that a token lasts. */
  readonly roles: Map<string, { secretId: string; seconds: number }>;
  sealed: boolean;
}

const NAMESPACE = 'acme';
const fail = (status: number, ...errors: string[]): ServiceAnswer => ({ status, json: { errors } });
const data = (content: unknown): ServiceAnswer => ({ status: 200, json: envelope({ data: content }) });

function envelope(content: object): object {
  const empty = {
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: null,
    warnings: null,
    auth: null,
  };
  return { request_id: randomBytes(16).toString('hex'), ...empty, ...content };
}

/** Starts it with the engine at `transit`, AppRole at `approle`, in the namespace `acme`. */
export async function startTransitServer(t: TestContext): Promise<TransitServer> {
  const tokens: TransitServer['tokens'] = new Map();
  const keys: TransitServer['keys'] = new Map();
  const roles: TransitServer['roles'] = new Map();
  const service = await startTlsService(t, (request) => answer(server, request));
  const server: TransitServer = Object.assign(service, { tokens, keys, roles, sealed: false });
  return server;
}

/** A key of the engine's default type. */
export function newTransitKey(type = 'aes256-gcm96'): TransitKeyRow {
  const row = {
    type,
    versions: new Map(),
    latest: 0,
    minAvailable: 0,
    minDecryption: 1,
    minEncryption: 0,
    deletionAllowed: false,
  };
  addVersion(row);
  return row;
}

function addVersion(row: TransitKeyRow): void {
  row.latest += 1;
  row.versions.set(row.latest, { key: randomBytes(32), made: 1_700_000_000 + row.latest });
}

function answer(server: TransitServer, request: ServiceRequest): ServiceAnswer {
  if (server.sealed) return fail(503, 'Vault is sealed');
  if (request.headers['x-vault-namespace'] !== NAMESPACE) return fail(404, 'namespace not found');
  const [, version, mount, ...path] = request.target.split('/');
  if (version !== 'v1') return fail(404);
  if (mount === 'auth' && path.join('/') === 'approle/login') return login(server, request);
  const token = server.tokens.get(String(request.headers['x-vault-token']));
  if (mount !== 'transit')
    return token === undefined
      ? fail(403, 'permission denied')
      : fail(404, `no handler for route "${mount}/". route entry not found.`);
  const [what = '', name = '', more = ''] = path;
  const row = server.keys.get(name);
  const right = rightFor(request.method, what, row);
  if (token === undefined || !token.may.has(right)) return fail(403, 'permission denied');
  if (what === 'keys') return keyPath(server, request, { name, more });
  if (request.method !== 'POST' && request.method !== 'PUT') return fail(405, 'unsupported operation');
  if (what === 'encrypt') {
    // As the engine does: encrypting makes the key for a token that may create.
    const made = row ?? newTransitKey();
    server.keys.set(name, made);
    return encrypt(made, request.json);
  }
  if (row === undefined) return fail(400, 'encryption key not found');
  if (what === 'decrypt') return decrypt(row, request.json);
  return fail(404);
}

function rightFor(
  method: string,
  what: string,
  row: TransitKeyRow | undefined,
): 'read' | 'update' | 'create' | 'delete' {
  if (method === 'GET') return 'read';
  if (method === 'DELETE') return 'delete';
  return what === 'encrypt' && row === undefined ? 'create' : 'update';
}

function login(server: TransitServer, { json }: ServiceRequest): ServiceAnswer {
  const role = server.roles.get(String(json['role_id']));
  if (role === undefined || json['secret_id'] !== role.secretId) return fail(400, 'invalid role or secret ID');
  const text = `hvs.${randomBytes(16).toString('hex')}`;
  server.tokens.set(text, { text, may: new Set(['read', 'update', 'delete']) });
  const auth = {
    client_token: text,
    accessor: 'a',
    policies: ['default'],
    lease_duration: role.seconds,
    renewable: true,
  };
  return { status: 200, json: envelope({ auth }) };
}

function keyPath(
  server: TransitServer,
  { method, json }: ServiceRequest,
  { name, more }: { name: string; more: string },
): ServiceAnswer {
  const row = server.keys.get(name);
  if (method === 'GET') return row === undefined ? fail(404) : data(view(name, row));
  if (more === '' && method !== 'DELETE') {
    if (row === undefined) server.keys.set(name, newTransitKey(String(json['type'] ?? 'aes256-gcm96')));
    return data(view(name, server.keys.get(name) ?? newTransitKey()));
  }
  if (row === undefined) return fail(400, 'invalid key name');
  if (method === 'DELETE') {
    if (!row.deletionAllowed) return fail(400, 'deletion is not allowed for this key');
    server.keys.delete(name);
    return { status: 204 };
  }
  if (more === 'rotate') addVersion(row);
  else if (more === 'config') return configure(name, row, json);
  else if (more === 'trim') return trim(name, row, json);
  else return fail(404);
  return data(view(name, row));
}

function configure(name: string, row: TransitKeyRow, json: ServiceRequest['json']): ServiceAnswer {
  const decryption = Number(json['min_decryption_version'] ?? row.minDecryption);
  const encryption = Number(json['min_encryption_version'] ?? row.minEncryption);
  if (decryption > row.latest || encryption > row.latest)
    return fail(400, 'cannot set min version higher than the latest version');
  if (encryption !== 0 && encryption < decryption) return fail(400, 'cannot set min encryption/decryption values');
  row.minDecryption = decryption;
  row.minEncryption = encryption;
  row.deletionAllowed =
    json['deletion_allowed'] === undefined ? row.deletionAllowed : json['deletion_allowed'] === true;
  return data(view(name, row));
}

function trim(name: string, row: TransitKeyRow, json: ServiceRequest['json']): ServiceAnswer {
  const least = Number(json['min_available_version'] ?? 0);
  if (least <= 0 || least < row.minAvailable) return fail(400, 'minimum available version cannot be decremented');
  if (row.minEncryption === 0 || row.minDecryption === 0) return fail(400, 'minimum encryption version is not set');
  if (least > row.minEncryption || least > row.minDecryption)
    return fail(400, 'minimum available version cannot be greater');
  row.minAvailable = least;
  for (const version of row.versions.keys()) if (version < least) row.versions.delete(version);
  return data(view(name, row));
}

function view(name: string, row: TransitKeyRow): object {
  return {
    name,
    type: row.type,
    derived: false,
    deletion_allowed: row.deletionAllowed,
    exportable: false,
    allow_plaintext_backup: false,
    imported_key: false,
    keys: Object.fromEntries([...row.versions].map(([version, { made }]) => [String(version), made])),
    latest_version: row.latest,
    min_available_version: row.minAvailable,
    min_decryption_version: row.minDecryption,
    min_encryption_version: row.minEncryption,
    supports_encryption: true,
    supports_decryption: true,
    supports_derivation: true,
    supports_signing: false,
  };
}

function encrypt(row: TransitKeyRow, json: ServiceRequest['json']): ServiceAnswer {
  const version = Number(json['key_version'] ?? 0) || row.latest;
  const key = row.versions.get(version)?.key;
  if (key === undefined || version < row.minEncryption)
    return fail(400, 'requested version for encryption is not allowed');
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(
    Buffer.from(String(json['associated_data'] ?? ''), 'base64'),
  );
  const sealed = [
    nonce,
    cipher.update(Buffer.from(String(json['plaintext']), 'base64')),
    cipher.final(),
    cipher.getAuthTag(),
  ];
  return data({ ciphertext: `vault:v${version}:${Buffer.concat(sealed).toString('base64')}`, key_version: version });
}

function decrypt(row: TransitKeyRow, json: ServiceRequest['json']): ServiceAnswer {
  const [, text = '', box = ''] = /^vault:v(\d+):(.*)$/.exec(String(json['ciphertext'])) ?? [];
  const version = Number(text);
  const sealed = Buffer.from(box, 'base64');
  if (text === '' || sealed.length < 28) return fail(400, 'invalid ciphertext: no prefix');
  if (version > row.latest) return fail(400, 'invalid ciphertext: version is too new');
  if (version < row.minDecryption)
    return fail(400, 'ciphertext or signature version is disallowed by policy (too old)');
  const key = row.versions.get(version)?.key ?? Buffer.alloc(32);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
    .setAAD(Buffer.from(String(json['associated_data'] ?? ''), 'base64'))
    .setAuthTag(sealed.subarray(-16));
  try {
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    return data({ plaintext: plaintext.toString('base64') });
  } catch {
    return fail(400, 'invalid ciphertext: unable to decrypt');
  }
}
