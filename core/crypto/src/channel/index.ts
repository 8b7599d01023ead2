export { CryptoError, type CryptoErrorCode } from '../crypto-error.ts';
export {
  createInitiator,
  INITIATOR_SHARE_BYTES,
  respond,
  RESPONDER_SHARE_BYTES,
  type Initiator,
  type Responder,
} from './handshake.ts';
export { MAX_RECORDS, openRecord, RECORD_TAG_BYTES, sealRecord } from './record-protection.ts';
export { TrafficKey, type ChannelKeys } from './traffic-key.ts';
export { HANDSHAKE_SEED_BYTES, HandshakeSeed } from './handshake-seed.ts';
