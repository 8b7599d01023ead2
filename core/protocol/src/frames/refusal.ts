/**
 * Every reason for which a frame is refused. A refusal changes no state, is journaled by a party, and ends the
 * connection.
 */
export const FRAME_REFUSALS = [
  /** Not a binary message of 512, 2,048 or 8,192 bytes, or not the class that its kind has. */
  'size',
  /** Another version than this side speaks. */
  'version',
  /** Not the kind of frame that belongs here. */
  'kind',
  /** The class byte does not fit the size, or a smaller class would have held the frame. */
  'class',
  /** Reserved bytes or flags are set. */
  'reserved',
  /** A handshake head that is not canonical JSON of its schema. */
  'head',
  /** Another control plane or party than the one that was meant. */
  'recipient',
  /** The control plane's keys are not signed by the pinned root, or their time is over. */
  'keys',
  /** The accept frame is not signed over this handshake. */
  'handshake-signature',
  /** The key agreement failed. */
  'key-agreement',
  /** A frame was repeated, left out or moved. */
  'sequence',
  /** The frame does not open with the key of this connection and direction. */
  'tag',
  /** The chain does not continue. */
  'chain',
  /** The length of the body points outside of the frame. */
  'length',
  /** Bytes after the end are not zero. */
  'padding',
  /** No message has this number. */
  'unknown-message',
  /** The sender may not send this message, or the reader may not read it. */
  'sender',
  /** A message that must be signed is not. */
  'signature-missing',
  /** A message that must not be signed is. */
  'signature-unexpected',
  /** The signature does not verify. */
  'signature',
  /** The body is not canonical JSON. */
  'canonical',
  /** The body is not of the message's schema. */
  'schema',
  /** A durable message without an id, or a transient one with one. */
  'message-id',
  /** A durable message before this one is missing. */
  'message-gap',
  /** A message at a time when it makes no sense: a link begins with hello and welcome, and has one of each. */
  'order',
  /** More bytes than the budget allows. */
  'budget',
] as const;

/** One of {@link FRAME_REFUSALS}. */
export type FrameRefusal = (typeof FRAME_REFUSALS)[number];

/** A frame that was refused. */
export interface Refused {
  readonly ok: false;
  readonly code: FrameRefusal;
}

/** The refusal with this code. */
export function refused(code: FrameRefusal): Refused {
  return { ok: false, code };
}
