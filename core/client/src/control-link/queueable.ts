import { frameBytesOf, mayCross, type Direction, type PartyRole } from '@ringfence/protocol/frames';
import { MESSAGES, type Message } from '@ringfence/protocol/messages';
import { ClientError } from '../error.ts';

/**
 * Makes sure that a durable message can be sent: what is stored is sent again until it is acknowledged, so nothing that
 * no frame takes may get in. Throws ClientError `too-large`, and TypeError for a message that is not durable, not of its
 * schema, or not this sender's.
 */
export function checkQueueable(message: Message, direction: Direction, role: PartyRole): void {
  const row = MESSAGES[message.name];
  if (!row.durable || !mayCross(row, direction, role))
    throw new TypeError(`${message.name} is no durable message between ${direction} and this ${role}`);
  if (!row.schema.safeParse(message.body).success)
    throw new TypeError(`a body of ${message.name} is not of its schema`);
  try {
    frameBytesOf(message);
  } catch (cause) {
    throw new ClientError('too-large', `a ${message.name} does not fit into a frame`, { cause });
  }
}
