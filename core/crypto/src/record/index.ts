export { CryptoError, type CryptoErrorCode } from '../crypto-error.ts';
export { openAtRest, sealAtRest, type RestingPlace } from './at-rest.ts';
export {
  openWithPassphrase,
  Passphrase,
  sealWithPassphrase,
  type PassphraseLock,
  type PassphrasePurpose,
} from './passphrase.ts';
export { beginsAsSealed, DEFAULT_COST, type PassphraseCost } from './passphrase-header.ts';
export { RecordKey } from './record-key.ts';
