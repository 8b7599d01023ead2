import { isUtf8 } from 'node:buffer';
import { canonicalJson } from '@ringfence/base';
import { MESSAGES, type Message, type MessageName, type MessageRow } from '../messages/index.ts';
import type { Direction, PartyRole } from './direction.ts';
import { refused, type Refused } from './refusal.ts';

/** A message of the closed set with its name. */
export interface NamedRow {
  readonly name: MessageName;
  readonly row: MessageRow;
}

const ROWS: ReadonlyMap<number, NamedRow> = new Map(
  Object.entries(MESSAGES).map(([name, row]) => [row.number, { name: name as MessageName, row }]),
);

/** The message with this number; undefined for numbers that do not exist or are kept for later. */
export function messageOfNumber(number: number): NamedRow | undefined {
  return ROWS.get(number);
}

/** Whether a sender of this direction may send the message, the party at the lower end being of `role`. */
export function mayCross(row: MessageRow, direction: Direction, role: PartyRole): boolean {
  return direction === 'party'
    ? row.sender === 'party' || row.sender === role
    : row.sender === 'control-plane' && (row.reader === 'party' || row.reader === role);
}

/** The message in `bytes`; refuses `canonical` and `schema`. */
export function readBody({ name, row }: NamedRow, bytes: Uint8Array): { ok: true; message: Message } | Refused {
  const value = readCanonical(bytes);
  if (value === undefined) return refused('canonical');
  const parsed = row.schema.safeParse(value.json);
  // The schema of this very row made the body.
  return parsed.success ? { ok: true, message: { name, body: parsed.data } as Message } : refused('schema');
}

/** The JSON in `bytes` when they are its canonical form. */
export function readCanonical(bytes: Uint8Array): { json: unknown } | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  try {
    const json: unknown = JSON.parse(text);
    return canonicalJson(json) === text ? { json } : undefined;
  } catch {
    return undefined;
  }
}
