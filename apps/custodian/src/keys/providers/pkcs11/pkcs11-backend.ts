import { createHash } from 'node:crypto';
import { Secret } from '@ringfence/base';
import type { KekErrorCode } from '../../../custodian-error.ts';
import { kekAadBytes, kekError, type Destruction } from '../../kek-provider.ts';
import type { KekBackend } from '../kek-backend.ts';
import { readSecretFile } from '../secret-file.ts';
import type { TokenAccess } from './token-program.ts';
import { TokenThread, type TokenTask } from './token-thread.ts';

/** A key in a token of a PKCS#11 device. */
export interface Pkcs11Key extends TokenAccess {
  readonly pinFile: string;
  /** Whether a version is destroyed in the token when the custodian is asked to. */
  readonly mayDestroy: boolean;
}

type Task = TokenTask extends infer Each ? (Each extends TokenTask ? Omit<Each, 'pin'> : never) : never;

const DENIED =
  /^(WEAK-KEY|CKR_(PIN_\w+|USER_PIN_NOT_INITIALIZED|USER_TYPE_INVALID|KEY_FUNCTION_NOT_PERMITTED|KEY_TYPE_INCONSISTENT|MECHANISM_\w+|ACTION_PROHIBITED|SESSION_READ_ONLY|TOKEN_WRITE_PROTECTED|ATTRIBUTE_\w+|TEMPLATE_\w+))$/;
const TAMPERED = /^(NOT-OPENED|CKR_(ENCRYPTED_DATA_\w+|AEAD_DECRYPT_FAILED|DATA_INVALID|DATA_LEN_RANGE))$/;
/** Nonce, 32 bytes and tag. */
const BOX_BYTES = 12 + 32 + 16;

/**
 * A non-extractable AES-256 key of an HSM: wraps by AES-256-GCM inside it, with a nonce of the token's own generator. NIST SP 800-38D allows
 * 2^32 random nonces under one key, and what is wrapped here are the keys of projects.
 */
export class Pkcs11Backend implements KekBackend {
  readonly kind = 'pkcs11';
  readonly #key: Pkcs11Key;
  readonly #thread: TokenThread;
  /** Digest of a PIN that the token refused: it locks itself after a few, so one that was refused is not shown to it again. */
  #refused: string | undefined;

  constructor(key: Pkcs11Key) {
    this.#key = key;
    const { module, token, key: label, create, addon } = key;
    this.#thread = new TokenThread({ module, token, key: label, create, addon });
  }

  async wrap(...[plaintext, aad, signal]: Parameters<KekBackend['wrap']>) {
    const task = { do: 'wrap', plaintext: alone(plaintext.expose()), aad: kekAadBytes(aad) } as const;
    const { version, bytes } = await this.#ask(task, signal);
    return { keyVersion: version, wrapped: bytes };
  }

  async unwrap(...[{ keyVersion, wrapped }, aad, signal]: Parameters<KekBackend['unwrap']>): Promise<Secret> {
    if (wrapped.length !== BOX_BYTES) throw kekError('kek-tampered');
    const task = { do: 'unwrap', wrapped, aad: kekAadBytes(aad), version: versionOf(keyVersion) } as const;
    return new Secret((await this.#ask(task, signal)).bytes);
  }

  async rotate(signal: AbortSignal): Promise<string> {
    return (await this.#ask({ do: 'rotate' }, signal)).version;
  }

  async destroy(keyVersion: string, signal: AbortSignal): Promise<Destruction> {
    if (!this.#key.mayDestroy) return { state: 'left-to-owner' };
    await this.#ask({ do: 'destroy', version: versionOf(keyVersion) }, signal);
    return { state: 'destroyed' };
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #ask(task: Task, signal: AbortSignal): Promise<{ version: string; bytes: Uint8Array }> {
    using pin = readSecretFile(this.#key.pinFile);
    const digest = createHash('sha256').update(pin.expose()).digest('hex');
    if (digest === this.#refused) throw kekError('kek-denied');
    const outcome = await this.#thread.ask({ ...task, pin: alone(pin.expose()) } as TokenTask, signal);
    if (!('refused' in outcome)) return outcome;
    if (outcome.refused.startsWith('CKR_PIN_')) this.#refused = digest;
    throw kekError(codeOf(outcome.refused), new Error(outcome.refused));
  }
}

/** In memory of its own: posting a part of Node's pool would post the whole of it. */
function alone(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function codeOf(refused: string): KekErrorCode {
  if (refused === 'NO-KEY') return 'kek-destroyed';
  if (TAMPERED.test(refused)) return 'kek-tampered';
  return DENIED.test(refused) ? 'kek-denied' : 'kek-unavailable';
}

function versionOf(keyVersion: string): string {
  if (!/^([0-9a-f]{2}){1,64}$/.test(keyVersion)) throw kekError('kek-tampered');
  return keyVersion;
}
