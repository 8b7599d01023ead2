import { toBase64Url } from './base64url.ts';

/** A key that this browser made and cannot export, and the session that it signs for, once there is one. */
export interface KeptKey {
  readonly publicKey: string;
  readonly privateKey: CryptoKey;
  readonly session?: string;
}

const DATABASE = 'ringfence';
const STORE = 'keys';
const CURRENT = 'current';

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.addEventListener('upgradeneeded', () => asked.result.createObjectStore(STORE));
    asked.addEventListener('success', () => resolve(asked.result));
    asked.addEventListener('error', () => reject(asked.error ?? new Error('no storage for keys')));
  });
}

async function inStore<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = run(transaction.objectStore(STORE));
      transaction.addEventListener('complete', () => resolve(asked.result));
      transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('keys cannot be kept')));
    });
  } finally {
    database.close();
  }
}

/** A fresh Ed25519 key, kept across pages, for one sign-in: no two sessions share a key. */
export async function freshKey(): Promise<KeptKey> {
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
  const publicKey = toBase64Url(await crypto.subtle.exportKey('raw', pair.publicKey));
  const key: KeptKey = { publicKey, privateKey: pair.privateKey };
  await keepKey(key);
  return key;
}

/** Keeps `key` in place of the one before. */
export async function keepKey(key: KeptKey): Promise<void> {
  await inStore('readwrite', (store) => store.put(key, CURRENT));
}

/** The kept key, or undefined. */
export async function keptKey(): Promise<KeptKey | undefined> {
  const kept: unknown = await inStore('readonly', (store) => store.get(CURRENT));
  return kept as KeptKey | undefined;
}

/** Forgets the kept key; what it signed for is over for this browser. */
export async function dropKey(): Promise<void> {
  await inStore('readwrite', (store) => store.delete(CURRENT));
}
