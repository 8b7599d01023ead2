import { concatBytes, fromUtf8, utf8 } from '@ringfence/base';
import { envelope, sha256 } from '@ringfence/protocol';
import { z } from 'zod';

const round = z
  .int()
  .min(1)
  .max(2 ** 31);
/** A word of a closed list elsewhere; whoever reads it shows it and does nothing by it. */
const word = z.string().regex(/^[a-z][a-z-]{0,39}$/);
const modelName = z.strictObject({ digest: sha256, bytes: z.int().min(4).max(400_000_000) });

/** What the aggregator and its clients say to each other beside the frames of secure aggregation. */
const bodies = {
  /** Aggregator: train on this model, or test it, then say `ready`. */
  announce: z.strictObject({ round, model: modelName, task: z.literal('evaluate').optional() }),
  /** Aggregator, to those that are ready: secure aggregation of this round begins. */
  begin: z.strictObject({ round }),
  /** Aggregator: the round is over; its number does not come again but where nobody sent a key in it. */
  over: z.strictObject({
    round,
    outcome: z.enum(['summed', 'aborted']),
    reason: word.optional(),
    /** Of all who are in the sum. */
    figures: z
      .strictObject({
        examples: z.number().min(0).max(1e15),
        metrics: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), z.number()),
      })
      .optional(),
  }),
  /** Aggregator: there are no more rounds. */
  end: z.strictObject({ outcome: z.enum(['finished', 'withdrawn', 'ended']), model: modelName.optional() }),
  /** Client: its update of this round is there. */
  ready: z.strictObject({ round }),
  /** Client: it takes no part in this round. */
  decline: z.strictObject({ round, reason: word }),
  /** Client: its organisation takes part no longer, by this statement. */
  withdrawal: z.strictObject({ withdrawal: envelope }),
  /** Client: it asks for nothing more; whether it has the model that it was offered. */
  bye: z.strictObject({ received: z.boolean() }),
} as const;

type Bodies = typeof bodies;
type Kind = keyof Bodies;

/** A message in words. */
export type FederationWord = { readonly [K in Kind]: { readonly kind: K } & Readonly<z.output<Bodies[K]>> }[Kind];

/** A frame of secure aggregation, of which only its state machines read more than the round. */
export interface FederationFrame {
  readonly kind: 'frame';
  readonly round: number;
  readonly frame: Uint8Array;
}

/** What one message says. */
export type FederationMessage = FederationWord | FederationFrame;

const WORD = 1;
const FRAME = 2;
const LONGEST_WORD = 65_536;
const kinds = z.enum(Object.keys(bodies) as [Kind, ...Kind[]]);

/** The bytes of a message: one of its form, then canonical enough JSON, or a round (u32, big-endian) and a frame. */
export function writeMessage(message: FederationMessage): Uint8Array {
  if (message.kind !== 'frame') return concatBytes(Uint8Array.of(WORD), utf8(JSON.stringify(message)));
  const head = new DataView(new ArrayBuffer(5));
  head.setUint8(0, FRAME);
  head.setUint32(1, message.round);
  return concatBytes(new Uint8Array(head.buffer), message.frame);
}

/** The message in `bytes`; undefined where it is none. */
export function readMessage(bytes: Uint8Array): FederationMessage | undefined {
  if (bytes[0] === FRAME && bytes.length > 5) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { kind: 'frame', round: view.getUint32(1), frame: bytes.subarray(5) };
  }
  return bytes[0] === WORD && bytes.length <= LONGEST_WORD ? readWord(bytes.subarray(1)) : undefined;
}

function readWord(bytes: Uint8Array): FederationWord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
  const named = z.looseObject({ kind: kinds }).safeParse(value);
  if (!named.success) return undefined;
  const { kind, ...rest } = named.data;
  const body = bodies[kind].safeParse(rest);
  return body.success ? ({ kind, ...body.data } as FederationWord) : undefined;
}
