import type { QueuedMessage } from '@ringfence/ledger';
import { frameBytesOf, mayCross, type PartyRole } from '@ringfence/protocol/frames';
import { MESSAGES, type Message } from '@ringfence/protocol/messages';
import { ClientError } from '../error.ts';

/**
 * A durable message as a journal stores it, once it is certain that it can be sent: what is queued is sent again until
 * it is acknowledged, so nothing that cannot be may get in. Throws ClientError `too-large`, and TypeError for a message
 * that is not of its schema, not durable, or not this role's.
 */
export function queueable(message: Message, role: PartyRole, mid: number): QueuedMessage {
  const row = MESSAGES[message.name];
  if (!row.durable || !mayCross(row, 'party', role)) throw new TypeError(`${role} queues no ${message.name}`);
  if (!row.schema.safeParse(message.body).success)
    throw new TypeError(`a body of ${message.name} is not of its schema`);
  try {
    frameBytesOf(message);
  } catch (cause) {
    throw new ClientError('too-large', `a ${message.name} does not fit into a frame`, { cause });
  }
  return { mid, number: row.number, body: message.body as QueuedMessage['body'] };
}
