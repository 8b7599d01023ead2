import type * as pkcs11js from 'pkcs11js';

/** Which key of which token, and what to load for it. */
export interface TokenAccess {
  /** Path of the vendor's library. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  /** Label of the key; all its versions have it. */
  readonly key: string;
  /** Whether a first key is made when there is none. */
  readonly create: boolean;
  /** Path of the native addon's package. */
  readonly addon: string;
}

/** One thing to do in the token; `id` comes back with what came of it. */
export type TokenOrder = { readonly id: number; readonly pin: Uint8Array } & (
  | { readonly do: 'wrap'; readonly plaintext: Uint8Array; readonly aad: Uint8Array }
  | { readonly do: 'unwrap'; readonly wrapped: Uint8Array; readonly aad: Uint8Array; readonly version: string }
  | { readonly do: 'rotate' }
  | { readonly do: 'destroy'; readonly version: string }
);

/** What came of it; `refused` is the token's return value (`CKR_…`) or one of `NO-TOKEN`, `NO-KEY`, `WEAK-KEY`, `NOT-OPENED`. */
export type TokenOutcome = { readonly id: number } & (
  | { readonly version: string; readonly bytes: Uint8Array }
  | { readonly refused: string }
);

type Addon = typeof pkcs11js;
interface Session {
  readonly p: Addon;
  readonly lib: pkcs11js.PKCS11;
  readonly handle: Buffer;
  readonly access: TokenAccess;
}
interface Version {
  readonly handle: Buffer;
  readonly id: Buffer;
}

const PROGRAM = [
  openSession,
  closeSession,
  versionsOf,
  counterOf,
  makeKey,
  strongKey,
  crypt,
  opened,
  carryOut,
  serveToken,
] as const;

/** The thread's program as text that needs no file, from source and in a release bundle alike. It names nothing outside itself. */
export function tokenProgram(): string {
  const main = `${serveToken.name}(threads.parentPort, require(threads.workerData.addon), threads.workerData);`;
  return `'use strict';\nconst threads = require('node:worker_threads');\n${PROGRAM.map(String).join('\n')}\n${main}\n`;
}

/** Logs in; who is logged in, or has initialised the library, is a matter of the whole process. */
function openSession(p: Addon, access: TokenAccess, pin: Uint8Array): Session {
  const lib = new p.PKCS11();
  lib.load(access.module);
  try {
    lib.C_Initialize({ flags: p.CKF_OS_LOCKING_OK });
  } catch (error) {
    if ((error as Error).message !== 'CKR_CRYPTOKI_ALREADY_INITIALIZED') throw error;
  }
  const slot = lib.C_GetSlotList(true).find((each) => lib.C_GetTokenInfo(each).label.trimEnd() === access.token);
  if (slot === undefined) throw new Error('NO-TOKEN');
  const handle = lib.C_OpenSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION);
  try {
    lib.C_Login(handle, p.CKU_USER, Buffer.from(pin.buffer, pin.byteOffset, pin.length).toString('utf8'));
  } catch (error) {
    if ((error as Error).message !== 'CKR_USER_ALREADY_LOGGED_IN') throw error;
  }
  return { p, lib, handle, access };
}

/** The library stays initialised: another key of this process may be in the same device. */
function closeSession(session: Session | undefined): undefined {
  try {
    session?.lib.C_CloseSession(session.handle);
  } catch {
    // It was gone already.
  }
  return undefined;
}

/** All versions of the key, the oldest first. */
function versionsOf({ p, lib, handle, access }: Session): Version[] {
  lib.C_FindObjectsInit(handle, [
    { type: p.CKA_CLASS, value: p.CKO_SECRET_KEY },
    { type: p.CKA_LABEL, value: access.key },
  ]);
  const found: Buffer[] = [];
  try {
    for (let some = lib.C_FindObjects(handle, 64); some.length > 0; some = lib.C_FindObjects(handle, 64))
      found.push(...some);
  } finally {
    lib.C_FindObjectsFinal(handle);
  }
  const id = (object: Buffer): Buffer =>
    Buffer.from((lib.C_GetAttributeValue(handle, object, [{ type: p.CKA_ID }])[0]?.value as Buffer | undefined) ?? []);
  return found
    .map((object) => ({ handle: object, id: id(object) }))
    .filter((version) => version.id.length > 0)
    .sort((a, b) => counterOf(a.id) - counterOf(b.id));
}

/** The first four bytes of an id count the versions. */
function counterOf(id: Buffer): number {
  return id.readUIntBE(0, Math.min(4, id.length));
}

/** A new version: AES-256, made in the token, never to leave it. Eight random bytes of its id keep a number from standing for two keys. */
function makeKey({ p, lib, handle, access }: Session, newest: Version | undefined): Version {
  const id = Buffer.alloc(12);
  id.writeUInt32BE((newest === undefined ? 0 : counterOf(newest.id)) + 1);
  lib.C_GenerateRandom(handle, Buffer.alloc(8)).copy(id, 4);
  const is = (type: number, value: boolean) => ({ type, value });
  const made = lib.C_GenerateKey(handle, { mechanism: p.CKM_AES_KEY_GEN }, [
    { type: p.CKA_CLASS, value: p.CKO_SECRET_KEY },
    { type: p.CKA_KEY_TYPE, value: p.CKK_AES },
    { type: p.CKA_VALUE_LEN, value: 32 },
    { type: p.CKA_LABEL, value: access.key },
    { type: p.CKA_ID, value: id },
    is(p.CKA_TOKEN, true),
    is(p.CKA_PRIVATE, true),
    is(p.CKA_SENSITIVE, true),
    is(p.CKA_EXTRACTABLE, false),
    is(p.CKA_ENCRYPT, true),
    is(p.CKA_DECRYPT, true),
  ]);
  return { handle: made, id };
}

/** Throws unless the key can neither be read nor be wrapped out of the token. */
function strongKey({ p, lib, handle }: Session, version: Version): Version {
  const [sensitive, extractable] = lib.C_GetAttributeValue(handle, version.handle, [
    { type: p.CKA_SENSITIVE },
    { type: p.CKA_EXTRACTABLE },
  ]);
  const flag = (value: unknown): number | undefined => (value as Buffer | undefined)?.[0];
  if (flag(sensitive?.value) !== 1 || flag(extractable?.value) !== 0) throw new Error('WEAK-KEY');
  return version;
}

/** AES-256-GCM (PKCS#11 2.40) in the token with a nonce of 96 bits. */
function crypt(
  session: Session,
  version: Version,
  way: 'encrypt' | 'decrypt',
  given: { iv: Buffer; aad: Buffer; input: Buffer },
): Buffer {
  const { p, lib, handle } = session;
  const { iv, aad, input } = given;
  const parameter = { type: p.CK_PARAMS_AES_GCM_v240, iv, aad, ivBits: 96, tagBits: 128 };
  const mechanism = { mechanism: p.CKM_AES_GCM, parameter };
  const room = Buffer.alloc(input.length + 16);
  if (way === 'encrypt') {
    lib.C_EncryptInit(handle, mechanism, version.handle);
    return lib.C_Encrypt(handle, input, room);
  }
  lib.C_DecryptInit(handle, mechanism, version.handle);
  return lib.C_Decrypt(handle, input, room);
}

/** Some tokens call a wrong tag a general error: whether it was the box or the token shows in a box of its own. */
function opened(session: Session, version: Version, given: { iv: Buffer; aad: Buffer; input: Buffer }): Buffer {
  try {
    return crypt(session, version, 'decrypt', given);
  } catch (error) {
    if ((error as Error).message !== 'CKR_GENERAL_ERROR') throw error;
  }
  const iv = session.lib.C_GenerateRandom(session.handle, Buffer.alloc(12));
  const probe = { iv, aad: given.aad, input: Buffer.alloc(32) };
  crypt(session, version, 'decrypt', { ...probe, input: crypt(session, version, 'encrypt', probe) });
  throw new Error('NOT-OPENED');
}

function carryOut(session: Session, order: TokenOrder): { version: string; bytes: Uint8Array } {
  const versions = versionsOf(session);
  const newest = versions.at(-1);
  const none = new Uint8Array();
  if (order.do === 'rotate') return { version: makeKey(session, newest).id.toString('hex'), bytes: none };
  if (order.do === 'wrap') {
    const made = newest ?? (session.access.create ? makeKey(session, undefined) : undefined);
    if (made === undefined) throw new Error('NO-KEY');
    const version = strongKey(session, made);
    const iv = session.lib.C_GenerateRandom(session.handle, Buffer.alloc(12));
    const { buffer, byteOffset, length } = order.plaintext;
    const given = { iv, aad: Buffer.from(order.aad), input: Buffer.from(buffer, byteOffset, length) };
    const box = crypt(session, version, 'encrypt', given);
    given.input.fill(0);
    return { version: version.id.toString('hex'), bytes: Uint8Array.from([...iv, ...box]) };
  }
  const version = versions.find(({ id }) => id.toString('hex') === order.version);
  if (order.do === 'destroy') {
    if (version !== undefined) session.lib.C_DestroyObject(session.handle, version.handle);
    return { version: order.version, bytes: none };
  }
  if (version === undefined) throw new Error('NO-KEY');
  const wrapped = Buffer.from(order.wrapped);
  const given = { iv: wrapped.subarray(0, 12), aad: Buffer.from(order.aad), input: wrapped.subarray(12) };
  return { version: order.version, bytes: opened(session, strongKey(session, version), given) };
}

/** Does one order after the other; after a failure the next one begins with a session of its own. */
function serveToken(
  port: {
    on(event: 'message', listener: (order: TokenOrder) => void): unknown;
    postMessage(outcome: TokenOutcome): void;
  },
  addon: Addon,
  access: TokenAccess,
): void {
  let session: Session | undefined;
  port.on('message', (order) => {
    const { id, pin } = order;
    try {
      session ??= openSession(addon, access, pin);
      port.postMessage({ id, ...carryOut(session, order) });
    } catch (error) {
      port.postMessage({ id, refused: error instanceof Error ? error.message : 'UNKNOWN' });
      session = closeSession(session);
    } finally {
      pin.fill(0);
    }
  });
}
