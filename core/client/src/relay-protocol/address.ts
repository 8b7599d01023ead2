import { fromBase64Url, type Brand } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { sha256Hex } from '@ringfence/crypto/sign';

/** Where a party can be reached at any relay: SHA-256 of its raw TLS public key, 64 lower-case hexadecimal digits. */
export type RelayAddress = Brand<string, 'RelayAddress'>;

/** The {@link RelayAddress} of a TLS public key. */
export function relayAddressOf(key: TlsPublicKey): RelayAddress {
  return `${sha256Hex(fromBase64Url(key))}` as RelayAddress;
}

/** The address that `text` spells; undefined when it is not 64 lower-case hexadecimal digits. */
export function parseRelayAddress(text: string): RelayAddress | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as RelayAddress) : undefined;
}

/** The first eight digits: enough to match two log lines, not enough to dial. */
export function shortAddress(address: RelayAddress): string {
  return address.slice(0, 8);
}
