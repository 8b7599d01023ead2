import { toHex } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { DisconnectCode } from '@ringfence/ledger';
import {
  beginHandshake,
  CONTROL_VERSIONS,
  FrameReceiver,
  FrameSender,
  fullBudget,
  READER_DEPTH,
  refill,
  spend,
  type Budget,
  type FrameRefusal,
  type OpenedFrame,
  type PartyHandshake,
} from '@ringfence/protocol/frames';
import { MESSAGES, type Message, type MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneKeys } from '@ringfence/protocol/statements';
import type { WebSocket } from 'ws';
import type { GoodbyeReason } from './accept-link-options.ts';
import type { ControlLinkOptions, ControlPlaneMessage } from './control-link-options.ts';
import { FrameTransport } from './frame-transport.ts';
import type { Inbox } from './inbox.ts';
import { Pump } from './pump.ts';
import { SendQueue } from './send-queue.ts';
import { SentTimes } from './sent-times.ts';
import { silenceAllowed } from './silence.ts';

/** How a party's connection ended. */
export interface ConnectionEnd {
  readonly code: DisconnectCode;
  readonly reason: GoodbyeReason | undefined;
  /** Whether the control plane had said welcome. */
  readonly wasUp: boolean;
  /** What failed on this side. */
  readonly error: unknown;
}

/** What a connection needs of its link. */
export interface ConnectionSetup {
  readonly socket: WebSocket;
  /** Number of the record that tells of its TCP connection. */
  readonly dial: number | undefined;
  readonly options: ControlLinkOptions;
  readonly inbox: Inbox;
  /** The next heartbeat. */
  readonly heartbeat: () => Message;
  readonly onUp: (keys: ControlPlaneKeys) => void;
  readonly onEnd: (end: ConnectionEnd) => void;
}

interface Session {
  readonly sender: FrameSender;
  readonly receiver: FrameReceiver;
  readonly keys: ControlPlaneKeys;
  readonly keysEnvelope: Envelope;
}

/** Each side answers a step of the handshake within this many milliseconds. */
const ANSWER_WITHIN = 10_000;
/** With so many messages waiting for the handler, reading pauses. */
const MOST_WAITING = 64;

/** A party's side of one connection, from the open frame to its end. */
export class PartyConnection {
  readonly #setup: ConnectionSetup;
  readonly #transport: FrameTransport;
  readonly #conn: string;
  readonly #handshake: PartyHandshake;
  readonly #queue = new SendQueue();
  readonly #pump: Pump;
  readonly #times = new SentTimes();
  #session: Session | undefined;
  #phase: 'accept' | 'welcome' | 'up' | 'over' = 'accept';
  #budgetIn: Budget;
  #cancelDeadline: () => void;
  #cancelSilence: (() => void) | undefined;
  #cancelBeat: (() => void) | undefined;
  #pushed = 0;
  #heartbeatMs = 0;
  #beats = 0;
  #ending: ConnectionEnd = { code: 'closed', reason: undefined, wasUp: false, error: undefined };

  /** Sends the open frame on an open socket. */
  constructor(setup: ConnectionSetup) {
    const { socket, options } = setup;
    this.#setup = setup;
    this.#conn = toHex(options.rng.bytes(8));
    this.#handshake = beginHandshake(options.party.id, options, options.journal.handshakeRng ?? options.rng);
    this.#budgetIn = fullBudget(this.#now(), READER_DEPTH);
    this.#transport = new FrameTransport(socket, options.clock, {
      onFrame: (bytes) => this.#guarded(() => this.#onFrame(bytes)),
      onOther: (bytes) => this.#guarded(() => (bytes === undefined ? this.#end('size') : this.#refuse(bytes, 'size'))),
      onOver: () => this.#over(),
    });
    this.#pump = new Pump({
      clock: options.clock,
      queue: this.#queue,
      waitFor: (spending) => options.journal.waitFor(spending),
      seal: (message, mid) => this.#seal(message, mid),
      beforeSending: () => options.journal.sync(),
      send: (bytes) => this.#transport.send(bytes),
      onFailed: (error) => this.#end('failed', { error }),
    });
    this.#cancelDeadline = this.#deadline();
    this.#guarded(() => {
      options.journal.opened(this.#conn, this.#handshake.open, setup.dial);
      this.#transport.send(this.#handshake.open);
    });
  }

  /** Durable messages were stored. */
  onQueued(): void {
    if (this.#phase !== 'up') return;
    for (const { mid, number, body } of this.#setup.options.journal.messagesAbove(this.#pushed)) {
      this.#queue.durable({ mid, message: storedMessage(number, body) });
      this.#pushed = mid;
    }
    this.#pump.run();
  }

  /** A message was processed; `mid` is 0 for a transient one. */
  onProcessed(mid: number): void {
    this.#transport.hold(false);
    if (mid > 0) this.#acknowledge();
  }

  /** The party's own handler refused. */
  onFailed(error: unknown): void {
    this.#end('failed', { error });
  }

  /** Ends the connection from this side. */
  stop(): void {
    this.#end('stopped');
  }

  #onFrame(bytes: Uint8Array): void {
    if (this.#phase === 'over') return this.#onLate(bytes);
    this.#cancelSilence?.();
    this.#cancelSilence = undefined;
    if (this.#session === undefined) this.#onAccept(bytes);
    else this.#onSealed(bytes, this.#session);
  }

  #onAccept(bytes: Uint8Array): void {
    const { options, inbox } = this.#setup;
    const { journal, party, key } = options;
    if (!this.#pays(bytes.length, false)) return this.#refuse(bytes, 'budget');
    const agreed = this.#handshake.finish(bytes, options.clock.now());
    if (!agreed.ok) return this.#refuse(bytes, agreed.code);
    const { transcript, keys: channel, controlPlaneKeys: keys, keysEnvelope, last } = agreed;
    journal.accepted(this.#conn, bytes, { transcript, keys: channel });
    const { role } = party;
    this.#session = {
      sender: new FrameSender({ direction: 'party', key: channel.initiatorToResponder, transcript, signing: key }),
      receiver: new FrameReceiver({
        direction: 'control-plane',
        role,
        key: channel.responderToInitiator,
        transcript,
        signer: keys.frames,
      }),
      keys,
      keysEnvelope,
    };
    const hash = last === null ? undefined : journal.hashAt(last.seq);
    const resume = last === null || hash === undefined ? null : { seq: last.seq, hash };
    const { id, org } = party;
    const { point } = journal;
    const body = {
      role,
      party: id,
      org,
      versions: CONTROL_VERSIONS,
      journal: point,
      resume,
      received: inbox.processed,
    };
    this.#queue.session({ name: 'hello', body });
    this.#phase = 'welcome';
    this.#cancelDeadline();
    this.#cancelDeadline = this.#deadline();
    this.#pump.run();
  }

  #onSealed(bytes: Uint8Array, { receiver, keys, keysEnvelope }: Session): void {
    const opened = receiver.open(bytes);
    if (!opened.ok) return this.#refuse(bytes, opened.code);
    const refusal = this.#pays(bytes.length, opened.transition) ? this.#misplaced(opened) : 'budget';
    if (refusal !== undefined) return this.#refuse(bytes, refusal);
    const { message, mid } = opened;
    const { inbox, options } = this.#setup;
    const known = mid > 0 && inbox.judge(mid) === 'known';
    const signature = opened.signedFrame?.signature;
    options.journal.crossed(this.#conn, 'in', { ...opened, body: message.body, signature, bytes });
    if (message.name === 'welcome') return this.#onWelcome(message.body, keys);
    if (message.name === 'goodbye') return this.#end('goodbye', { reason: message.body.reason });
    if (known) return this.#acknowledge();
    if (message.name === 'lease' || message.name === 'renew')
      inbox.take({ message, mid, sentAt: this.#times.at(message.body.echo), keys, keysEnvelope });
    if (message.name === 'log-checkpoint' || isOrder(message))
      inbox.take({ message, mid, sentAt: undefined, keys, keysEnvelope });
    if (inbox.waiting >= MOST_WAITING) this.#transport.hold(true);
  }

  /** Acknowledging what was never sent, agreeing to a version that was not offered, or leaving messages out. */
  #misplaced({ message, mid }: OpenedFrame): FrameRefusal | undefined {
    const { queued } = this.#setup.options.journal.state;
    if (message.name === 'welcome') {
      const { version, received } = message.body;
      if (version < CONTROL_VERSIONS.min || version > CONTROL_VERSIONS.max) return 'version';
      return received > queued ? 'message-gap' : undefined;
    }
    if (this.#phase !== 'up' && message.name !== 'goodbye') return 'order';
    if (message.name === 'control-ack') return message.body.mid > queued ? 'message-gap' : undefined;
    return mid > 0 && this.#setup.inbox.judge(mid) === 'gap' ? 'message-gap' : undefined;
  }

  #onWelcome({ received, heartbeatMs }: MessageBody<'welcome'>, keys: ControlPlaneKeys): void {
    this.#cancelDeadline();
    this.#phase = 'up';
    this.#heartbeatMs = heartbeatMs;
    this.#pushed = received;
    this.#queue.open();
    this.#setup.onUp(keys);
    this.onQueued();
    this.#beat();
  }

  #beat(): void {
    this.#guarded(() => {
      if (this.#phase !== 'up') return;
      const { clock } = this.#setup.options;
      if (clock.now() >= (this.#session?.keys.notAfter ?? 0)) return this.#end('keys');
      // Never at the first: what waited for this connection has to leave.
      if (this.#beats > 0 && this.#setup.options.journal.isSegmentFull) return this.#end('renewed');
      this.#beats += 1;
      this.#queue.beat(this.#setup.heartbeat());
      this.#pump.run();
      this.#cancelBeat = clock.after(this.#heartbeatMs, () => this.#beat());
    });
  }

  #acknowledge(): void {
    if (this.#phase !== 'up') return;
    const { inbox, options } = this.#setup;
    this.#queue.acknowledge(() => ({ name: 'ack', body: { mid: inbox.processed, journal: options.journal.point } }));
    this.#pump.run();
  }

  #seal(message: Message, mid: number): { bytes: Uint8Array; durably: boolean } {
    const { options } = this.#setup;
    if (this.#session === undefined) throw new Error('nothing is sealed before the handshake');
    const sealed = this.#session.sender.seal(message, mid);
    options.journal.crossed(this.#conn, 'out', { ...sealed, body: message.body });
    this.#times.sent(sealed.sequence, options.clock.monotonic());
    if (message.name === 'heartbeat') this.#expectAnswer(sealed.bytes.length);
    return { bytes: sealed.bytes, durably: sealed.signature !== undefined || message.name === 'ack' };
  }

  #expectAnswer(bytes: number): void {
    // While reading pauses, silence says nothing.
    if (this.#setup.inbox.waiting >= MOST_WAITING) return;
    const within = silenceAllowed(this.#heartbeatMs, bytes);
    this.#cancelSilence ??= this.#setup.options.clock.after(within, () => this.#end('timed-out'));
  }

  #pays(bytes: number, transition: boolean): boolean {
    const left = spend(refill(this.#budgetIn, this.#now(), READER_DEPTH), { bytes, transition }, READER_DEPTH);
    if (left !== undefined) this.#budgetIn = left;
    return left !== undefined;
  }

  #now(): number {
    return Math.floor(this.#setup.options.clock.monotonic());
  }

  #deadline(): () => void {
    return this.#setup.options.clock.after(ANSWER_WITHIN, () => this.#end('timed-out'));
  }

  #refuse(bytes: Uint8Array, code: FrameRefusal): void {
    this.#setup.options.journal.refused(this.#conn, bytes, code);
    this.#end(code);
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#end('failed', { error });
    }
  }

  /** What was on its way when the connection ended is recorded, and handled when it comes again. */
  #onLate(bytes: Uint8Array): void {
    const { journal } = this.#setup.options;
    const opened = this.#session?.receiver.open(bytes) ?? { ok: false, code: 'order' };
    if (!opened.ok) return journal.refused(this.#conn, bytes, opened.code);
    if (!this.#pays(bytes.length, opened.transition)) return journal.refused(this.#conn, bytes, 'budget');
    const { message, signedFrame } = opened;
    journal.crossed(this.#conn, 'in', { ...opened, body: message.body, signature: signedFrame?.signature, bytes });
  }

  #end(code: DisconnectCode, detail: { reason?: GoodbyeReason; error?: unknown } = {}): void {
    if (this.#phase === 'over') return;
    const { reason, error } = detail;
    this.#ending = { code, reason, error, wasUp: this.#phase === 'up' };
    this.#phase = 'over';
    for (const cancel of [this.#cancelDeadline, this.#cancelSilence, this.#cancelBeat]) cancel?.();
    this.#pump.stop();
    if (code === 'timed-out') this.#transport.cut();
    else this.#transport.close();
  }

  #over(): void {
    this.#end('closed');
    const { code, reason, wasUp, error } = this.#ending;
    const { bytesIn, bytesOut } = this.#transport;
    let failure = error;
    try {
      this.#setup.options.journal.disconnected(this.#conn, { in: bytesIn, out: bytesOut, code });
    } catch (unwritten) {
      failure = unwritten;
    }
    this.#setup.onEnd({ code, reason, wasUp, error: failure });
  }
}

const NAMES = new Map(Object.entries(MESSAGES).map(([name, { number }]) => [number, name]));

/** A message as it was queued; it was checked before it was stored. */
function storedMessage(number: number, body: object): Message {
  return { name: NAMES.get(number), body } as Message;
}

type Order = Exclude<ControlPlaneMessage, { name: 'lease' | 'renew' | 'log-checkpoint' }>;

/** A durable message of the control plane's that carries no echo. */
function isOrder(message: Message): message is Order {
  const { durable, sender } = MESSAGES[message.name];
  return durable && sender === 'control-plane' && message.name !== 'lease';
}
