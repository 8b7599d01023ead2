import { fromBase64Url, jsonOf, toBase64Url, type Brand, type Rng } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { z } from 'zod';
import { parseRelayTicket, type RelayTicket } from './ticket.ts';

/** What a listener must sign to prove its key: 32 random bytes in base64url. */
export type RelayChallenge = Brand<string, 'RelayChallenge'>;

/** No message of a listener's WebSocket is longer, in bytes. */
export const MAX_RELAY_MESSAGE = 512;

const CHALLENGE_BYTES = 32;

function base64UrlOf<T extends string>(bytes: number): z.ZodType<T> {
  return z
    .string()
    .max(128)
    .refine((text) => isBase64UrlOf(text, bytes)) as unknown as z.ZodType<T>;
}

function isBase64UrlOf(text: string, bytes: number): boolean {
  try {
    return fromBase64Url(text).length === bytes;
  } catch {
    return false;
  }
}

const ticket = z.string().transform((text, context): RelayTicket => {
  const parsed = parseRelayTicket(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'not a ticket' });
  return z.NEVER;
});

const fromRelay = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('challenge'), challenge: base64UrlOf<RelayChallenge>(CHALLENGE_BYTES) }),
  z.strictObject({ type: z.literal('listening') }),
  z.strictObject({ type: z.literal('incoming'), ticket }),
]);

const fromListener = z.strictObject({
  type: z.literal('proof'),
  public_key: base64UrlOf<TlsPublicKey>(32),
  signature: base64UrlOf<string>(64),
});

/** A message from the relay to a listener. */
export type RelayMessage = z.infer<typeof fromRelay>;
/** A listener's answer to the challenge. */
export type ListenProof = z.infer<typeof fromListener>;

/** A fresh challenge. */
export function newRelayChallenge(rng: Rng): RelayChallenge {
  return toBase64Url(rng.bytes(CHALLENGE_BYTES)) as RelayChallenge;
}

/** The relay's message in `bytes`; undefined unless they are exactly one of the known messages, ≤ 512 bytes of JSON. */
export function parseRelayMessage(bytes: Uint8Array): RelayMessage | undefined {
  return parse(bytes, fromRelay);
}

/** The listener's proof in `bytes`; undefined unless they are exactly that, ≤ 512 bytes of JSON. */
export function parseListenProof(bytes: Uint8Array): ListenProof | undefined {
  return parse(bytes, fromListener);
}

function parse<T>(bytes: Uint8Array, schema: z.ZodType<T>): T | undefined {
  if (bytes.length > MAX_RELAY_MESSAGE) return undefined;
  const parsed = schema.safeParse(jsonOf(bytes));
  return parsed.success ? parsed.data : undefined;
}
