export { CryptoError, type CryptoErrorCode } from '../crypto-error.ts';
export { openObject, openObjectBytes, type OpenedObject, type OpenObjectOptions } from './open-object.ts';
export { openSealed } from './open-sealed.ts';
export { SealPrivateKey } from './seal-private-key.ts';
export { unwrapDataKey } from './unwrap-data-key.ts';
