import { fromBase64Url, toBase64Url, type Brand, type Rng } from '@ringfence/base';

/** A one-use, ten-second right to take one waiting call: 16 random bytes in base64url. */
export type RelayTicket = Brand<string, 'RelayTicket'>;

const TICKET_BYTES = 16;

/** A fresh ticket. */
export function newRelayTicket(rng: Rng): RelayTicket {
  return toBase64Url(rng.bytes(TICKET_BYTES)) as RelayTicket;
}

/** The ticket that `text` spells; undefined unless it is canonical base64url of 16 bytes. */
export function parseRelayTicket(text: string): RelayTicket | undefined {
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) return undefined;
  try {
    return fromBase64Url(text).length === TICKET_BYTES ? (text as RelayTicket) : undefined;
  } catch {
    return undefined;
  }
}
