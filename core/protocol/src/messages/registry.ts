import type { z } from 'zod';
import { attemptStatus, committed, jobClosed, lease, renew, stop, wanted } from './attempt.ts';
import { deleted, deleteData, keysShredded, shredKeys } from './deletion.ts';
import { admission } from './admission.ts';
import { deviceRoles } from './device-roles.ts';
import { evidence } from './evidence.ts';
import { heartbeat } from './heartbeat.ts';
import { lock, member, offer } from './inventory.ts';
import { lockWord } from './lock-word.ts';
import { logCheckpoint } from './log-checkpoint.ts';
import { ack, goodbye, hello, welcome } from './session.ts';

/** Who sends a message: `party` is agent or custodian, `control-plane` the other end. */
export type Sender = 'agent' | 'custodian' | 'party' | 'control-plane';

/** Who takes a message; any other reader refuses it. */
export type Reader = 'agent' | 'party' | 'custodian' | 'control-plane';

/** One row of the closed set of control messages. */
export interface MessageRow<Schema extends z.ZodType = z.ZodType> {
  readonly number: number;
  readonly sender: Sender;
  readonly reader: Reader;
  /** Signed by its sender: it carries authority. */
  readonly signed: boolean;
  /** Kept until acknowledged and delivered once; the others may be lost with the connection. */
  readonly durable: boolean;
  /** Pays for the 16 KiB that an attempt transition allows. */
  readonly transition: boolean;
  /** What it can cause at its reader, in words for docs/protocol/messages.md. */
  readonly effect: string;
  readonly schema: Schema;
}

const row = <Schema extends z.ZodType>(value: MessageRow<Schema>): MessageRow<Schema> => value;

/** Every control message that exists. Numbers are never used again. */
export const MESSAGES = {
  hello: row({
    number: 0x0101,
    sender: 'party',
    reader: 'control-plane',
    signed: true,
    durable: false,
    transition: false,
    schema: hello,
    effect: 'opens the link; a wrong resume point locks the party',
  }),
  heartbeat: row({
    number: 0x0102,
    sender: 'party',
    reader: 'control-plane',
    signed: false,
    durable: false,
    transition: false,
    schema: heartbeat,
    effect: 'keeps the party online; asks for renewals',
  }),
  ack: row({
    number: 0x0103,
    sender: 'party',
    reader: 'control-plane',
    signed: false,
    durable: false,
    transition: false,
    schema: ack,
    effect: 'lets the control plane forget durable messages',
  }),
  offer: row({
    number: 0x0104,
    sender: 'agent',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: offer,
    effect: 'replaces the offer that placement reads',
  }),
  'attempt-status': row({
    number: 0x0105,
    sender: 'agent',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: true,
    schema: attemptStatus,
    effect: 'moves the attempt; stopped frees its reservation',
  }),
  deleted: row({
    number: 0x0106,
    sender: 'agent',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: true,
    schema: deleted,
    effect: 'keeps the agent’s signed word that what it held of attempts away from home is deleted',
  }),
  member: row({
    number: 0x0110,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: member,
    effect: 'admits or removes a device or agent of its own organisation',
  }),
  committed: row({
    number: 0x0111,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: true,
    schema: committed,
    effect: 'ends the job as succeeded',
  }),
  lock: row({
    number: 0x0112,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: lock,
    effect: 'refuses the agent and places nothing on it',
  }),
  wanted: row({
    number: 0x0113,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: true,
    schema: wanted,
    effect: 'places a parked serve job of its own organisation, or stops and parks one',
  }),
  evidence: row({
    number: 0x0120,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: evidence,
    effect:
      'lets offers of its own organisation’s sites count with evidence, or no longer; then stops what relied on it',
  }),
  'keys-shredded': row({
    number: 0x0122,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: true,
    schema: keysShredded,
    effect: 'lets a machine away from home be given back',
  }),
  admission: row({
    number: 0x0123,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: admission,
    effect: 'lets a provider’s machine of its own organisation get jobs until then; from then on stops what runs there',
  }),
  'device-roles': row({
    number: 0x0124,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: deviceRoles,
    effect: 'lets a device of its own organisation ask what its roles permit, and no more than that',
  }),
  'lock-word': row({
    number: 0x0125,
    sender: 'custodian',
    reader: 'control-plane',
    signed: true,
    durable: true,
    transition: false,
    schema: lockWord,
    effect:
      'cuts an agent, a device or a site of its own organisation off, or lets it back; nothing that an officer locked there',
  }),
  welcome: row({
    number: 0x0201,
    sender: 'control-plane',
    reader: 'party',
    signed: true,
    durable: false,
    transition: false,
    schema: welcome,
    effect: 'completes the link',
  }),
  lease: row({
    number: 0x0202,
    sender: 'control-plane',
    reader: 'agent',
    signed: true,
    durable: true,
    transition: true,
    schema: lease,
    effect: 'lets the agent ask the custodian for a grant; starts nothing by itself',
  }),
  renew: row({
    number: 0x0203,
    sender: 'control-plane',
    reader: 'party',
    signed: true,
    durable: false,
    transition: false,
    schema: renew,
    effect: 'lengthens leases already held',
  }),
  stop: row({
    number: 0x0204,
    sender: 'control-plane',
    reader: 'agent',
    signed: true,
    durable: true,
    transition: true,
    schema: stop,
    effect: 'ends an attempt',
  }),
  'control-ack': row({
    number: 0x0205,
    sender: 'control-plane',
    reader: 'party',
    signed: false,
    durable: false,
    transition: false,
    schema: ack,
    effect: 'lets the party forget durable messages',
  }),
  'job-closed': row({
    number: 0x0206,
    sender: 'control-plane',
    reader: 'custodian',
    signed: true,
    durable: true,
    transition: true,
    schema: jobClosed,
    effect: 'tells the custodian that no further grant will be asked for',
  }),
  goodbye: row({
    number: 0x0207,
    sender: 'control-plane',
    reader: 'party',
    signed: false,
    durable: false,
    transition: false,
    schema: goodbye,
    effect: 'ends the connection',
  }),
  'log-checkpoint': row({
    number: 0x0226,
    sender: 'control-plane',
    reader: 'party',
    signed: true,
    durable: false,
    transition: false,
    schema: logCheckpoint,
    effect: 'is held against all checkpoints before it and kept; a log that contradicts itself is told of',
  }),
  'delete-data': row({
    number: 0x0224,
    sender: 'control-plane',
    reader: 'agent',
    signed: true,
    durable: true,
    transition: true,
    schema: deleteData,
    effect: 'deletes what the agent holds of attempts that are over',
  }),
  'shred-keys': row({
    number: 0x0225,
    sender: 'control-plane',
    reader: 'custodian',
    signed: true,
    durable: true,
    transition: true,
    schema: shredKeys,
    effect: 'destroys the data keys of attempts that are over; nothing opens what they closed',
  }),
} as const;

/** Numbers kept for messages that later releases bring; a frame that carries one is refused as unknown. */
export const RESERVED = {
  'witness-checkpoint': 0x0121,
  drain: 0x0220,
  'control-lock': 0x0221,
  checkpoint: 0x0222,
  contract: 0x0223,
} as const;

/** The name of a control message. */
export type MessageName = keyof typeof MESSAGES;
/** The body of the message called `Name`. */
export type MessageBody<Name extends MessageName> = z.infer<(typeof MESSAGES)[Name]['schema']>;
/** A message with its body. */
export type Message = { [Name in MessageName]: { readonly name: Name; readonly body: MessageBody<Name> } }[MessageName];
