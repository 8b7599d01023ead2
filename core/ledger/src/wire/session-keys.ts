import { fromHex, jsonOf, Secret } from '@ringfence/base';
import { TrafficKey } from '@ringfence/crypto/channel';
import type { Direction } from '@ringfence/protocol/frames';
import { z } from 'zod';

/** The traffic keys of one connection. */
export type SessionKeys = Readonly<Record<Direction, TrafficKey>>;

/** Keys to look up by connection, and the connections that a journal must name. */
export type SessionKeysByConnection = Pick<ReadonlyMap<string, SessionKeys>, 'get' | 'keys'>;

const exported = z.string().regex(/^[0-9a-f]{88}$/);
const line = z.strictObject({ conn: z.string().regex(/^[0-9a-f]{16}$/), party: exported, 'control-plane': exported });

/** The keys in the text of a `sessions.jsonl`, by connection; lines that are no keys are left out, and their connections then lack them. */
export function readSessionKeys(text: string): ReadonlyMap<string, SessionKeys> {
  const sessions = new Map<string, SessionKeys>();
  for (const row of text.split('\n')) {
    const parsed = line.safeParse(jsonOf(row));
    if (!parsed.success) continue;
    const { conn, party, 'control-plane': controlPlane } = parsed.data;
    sessions.set(conn, { party: trafficKey(party), 'control-plane': trafficKey(controlPlane) });
  }
  return sessions;
}

function trafficKey(hex: string): TrafficKey {
  const bytes = fromHex(hex);
  return new TrafficKey(new Secret(bytes.slice(0, 32)), bytes.slice(32));
}
