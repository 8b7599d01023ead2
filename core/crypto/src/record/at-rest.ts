import { canonicalBytes, concatBytes, utf8, type Rng } from '@ringfence/base';
import { xaesOpen, xaesSeal } from '../xaes-256-gcm.ts';
import type { RecordKey } from './record-key.ts';

/** Where sealed bytes rest. They open at that place alone, so nobody moves them between rows or files. */
export type RestingPlace =
  | { readonly table: string; readonly column: string; readonly row: string }
  | { readonly file: string };

const DOMAIN = utf8('ringfence/record/v1\0');

/** `plaintext` sealed for its place: nonce ‖ ciphertext ‖ tag (XAES-256-GCM), 40 bytes longer. */
export function sealAtRest(key: RecordKey, place: RestingPlace, plaintext: Uint8Array, rng: Rng): Uint8Array {
  return xaesSeal(key.cipher, rng, placeBytes(place), plaintext);
}

/** Opens what {@link sealAtRest} made for this place; throws CryptoError `cannot-open` whatever is wrong. */
export function openAtRest(key: RecordKey, place: RestingPlace, sealed: Uint8Array): Uint8Array {
  return xaesOpen(key.cipher, placeBytes(place), sealed);
}

function placeBytes(place: RestingPlace): Uint8Array {
  const fields = 'file' in place ? { file: place.file } : { column: place.column, row: place.row, table: place.table };
  return concatBytes(DOMAIN, canonicalBytes(fields));
}
