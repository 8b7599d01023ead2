import { errorFields } from '@ringfence/base';
import {
  fullBudget,
  FrameReceiver,
  FrameSender,
  negotiateVersion,
  readOpen,
  READER_DEPTH,
  refill,
  spend,
  waitFor,
  type Budget,
  type FrameRefusal,
  type SignedFrame,
} from '@ringfence/protocol/frames';
import { MESSAGES, type Message, type MessageBody } from '@ringfence/protocol/messages';
import type {
  AcceptedLink,
  AcceptingLink,
  AcceptLinkOptions,
  DurableControlMessage,
  DurablePartyMessage,
  GoodbyeReason,
  JournalPoint,
  KnownParty,
  LinkEnd,
  RenewedLease,
} from './accept-link-options.ts';
import { FrameTransport } from './frame-transport.ts';
import { Pump } from './pump.ts';
import { checkQueueable } from './queueable.ts';
import { hasForked } from './fork.ts';
import { SendQueue } from './send-queue.ts';
import { partySilenceAllowed } from './silence.ts';

/** Serves one connection at the control plane; see {@link AcceptLinkOptions}. */
export function acceptLink(options: AcceptLinkOptions): AcceptingLink {
  const connection = new ControlPlaneConnection(options);
  return { close: (reason) => connection.close(reason) };
}

interface Session {
  readonly party: KnownParty;
  readonly offered: JournalPoint | null;
  readonly sender: FrameSender;
  readonly receiver: FrameReceiver;
}

const ANSWER_WITHIN = 10_000;
/** With so many messages waiting for the callbacks, reading pauses. */
const MOST_WAITING = 64;

class ControlPlaneConnection {
  readonly #options: AcceptLinkOptions;
  readonly #transport: FrameTransport;
  readonly #queue = new SendQueue();
  readonly #pump: Pump;
  #phase: 'open' | 'looking-up' | 'hello' | 'judging' | 'up' | 'over' = 'open';
  #session: Session | undefined;
  #ending: Pick<LinkEnd, 'code' | 'reason'> = { code: 'closed', reason: undefined };
  #budgetIn: Budget;
  #budgetOut: Budget;
  #cancelDeadline: () => void;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Highest id of the party's durable messages that arrived, and that are committed. */
  #arrived = 0;
  #committed = 0;
  /** Highest id of the control plane's durable messages that were queued here. */
  #queued = 0;

  constructor(options: AcceptLinkOptions) {
    this.#options = options;
    this.#budgetIn = fullBudget(this.#now(), READER_DEPTH);
    this.#budgetOut = fullBudget(this.#now());
    this.#cancelDeadline = options.clock.after(ANSWER_WITHIN, () => this.#end('timed-out'));
    this.#transport = new FrameTransport(options.socket, options.clock, {
      onFrame: (bytes) => this.#onFrame(bytes),
      onOther: () => this.#refuse('size'),
      onOver: () => this.#over(),
    });
    this.#pump = new Pump({
      clock: options.clock,
      queue: this.#queue,
      waitFor: (spending) => waitFor(refill(this.#budgetOut, this.#now()), spending),
      seal: (message, mid) => ({ bytes: this.#seal(message, mid), durably: false }),
      beforeSending: () => Promise.resolve(),
      send: (bytes) => this.#transport.send(bytes),
      onFailed: (error) => this.#fail(error),
    });
  }

  close(reason: GoodbyeReason): void {
    if (this.#phase === 'over') return;
    if (this.#session !== undefined) this.#transport.send(this.#seal({ name: 'goodbye', body: { reason } }, 0));
    this.#end('goodbye', reason);
  }

  #onFrame(bytes: Uint8Array): void {
    if (this.#phase === 'over') return;
    try {
      if (this.#phase === 'open') this.#onOpen(bytes);
      else if (this.#session === undefined || this.#phase === 'judging') this.#refuse('order');
      else this.#onSealed(bytes, this.#session);
    } catch (error) {
      this.#fail(error);
    }
  }

  #onOpen(bytes: Uint8Array): void {
    const { controlPlane, keys, framesKey, rng, lookupParty } = this.#options;
    const request = readOpen(bytes, controlPlane);
    if (!request.ok) return this.#refuse(request.code);
    this.#pays(bytes.length, false);
    this.#phase = 'looking-up';
    this.#next(async () => {
      const party = await lookupParty(request.party);
      if (this.#isOver()) return;
      const offered = party?.last ?? null;
      const answer = request.answer({ keys, framesKey, last: offered, rng });
      if (!answer.ok) return this.#refuse(answer.code);
      this.#send(answer.accept);
      const { transcript } = answer;
      const { initiatorToResponder, responderToInitiator } = answer.keys;
      const signing = framesKey;
      const sender = new FrameSender({ direction: 'control-plane', key: responderToInitiator, transcript, signing });
      if (party === undefined || party.locked) {
        const reason = party === undefined ? 'unknown-party' : 'locked';
        this.#transport.send(sender.seal({ name: 'goodbye', body: { reason } }, 0).bytes);
        return this.#end('goodbye', reason);
      }
      const { role, sign: signer } = party;
      const receiver = new FrameReceiver({ direction: 'party', role, key: initiatorToResponder, transcript, signer });
      this.#session = { party, offered, sender, receiver };
      this.#phase = 'hello';
      this.#expectFrame(ANSWER_WITHIN);
    });
  }

  #onSealed(bytes: Uint8Array, session: Session): void {
    const opened = session.receiver.open(bytes);
    if (!opened.ok) return this.#refuse(opened.code);
    if (!this.#pays(bytes.length, opened.transition)) return this.#refuse('budget');
    this.#expectFrame(partySilenceAllowed(this.#options.heartbeatMs));
    const { message, mid, sequence, signedFrame } = opened;
    const { party } = session;
    const { onHeartbeat, onAck } = this.#options;
    if (message.name === 'hello') return this.#onHello(message.body, session, signedFrame);
    if (message.name === 'heartbeat')
      return this.#next(async () => {
        // In its turn, but nothing waits for it: an answer may be made together with those to others.
        void onHeartbeat(message.body, party)
          .then((leases) => leases !== undefined && this.#renew(sequence, leases))
          .catch((error: unknown) => this.#fail(error));
      });
    if (message.name === 'ack') {
      if (message.body.mid > this.#queued) return this.#refuse('message-gap');
      return this.#next(() => onAck(message.body.mid, message.body.journal, party));
    }
    if (isDurable(message)) return this.#onDurable({ message, mid, signedFrame }, party);
    this.#refuse('sender');
  }

  #renew(echo: number, leases: readonly RenewedLease[]): void {
    if (this.#isOver()) return;
    this.#queue.beat({ name: 'renew', body: { echo, leases: [...leases] } });
    this.#pump.run();
  }

  #onDurable(
    { message, mid, signedFrame }: { message: DurablePartyMessage; mid: number; signedFrame: SignedFrame | undefined },
    party: KnownParty,
  ): void {
    if (mid > this.#arrived + 1) return this.#refuse('message-gap');
    if (signedFrame === undefined) return this.#refuse('signature-missing');
    const known = mid <= this.#arrived;
    this.#arrived = Math.max(this.#arrived, mid);
    this.#next(async () => {
      if (!known) await this.#options.onMessage(message, { party, mid, signedFrame });
      this.#committed = Math.max(this.#committed, mid);
      this.#queue.acknowledge(() => ({ name: 'control-ack', body: { mid: this.#committed } }));
    });
  }

  #onHello(hello: MessageBody<'hello'>, session: Session, signedFrame: SignedFrame | undefined): void {
    const { party, offered } = session;
    if (signedFrame === undefined) return this.#refuse('signature-missing');
    if (hello.party !== party.id || hello.org !== party.org || hello.role !== party.role)
      return this.#refuse('recipient');
    const version = negotiateVersion(hello.versions);
    if (version === undefined) return this.close('version');
    this.#phase = 'judging';
    const event = { party, hello, signedFrame, offered };
    this.#next(async () => {
      if (hasForked(hello, offered)) {
        await this.#options.onFork(event);
        return this.close('locked');
      }
      const answer = await this.#options.onHello(event);
      if (this.#isOver()) return;
      if (!answer.allow) return this.close(answer.reason);
      if (hello.received > 0) await this.#options.onAck(hello.received, undefined, party);
      if (this.#isOver()) return;
      this.#welcome(version, answer.received, session, hello.received);
    });
  }

  #welcome(version: number, received: number, { party, receiver }: Session, theirs: number): void {
    const { heartbeatMs, clock, onReady } = this.#options;
    this.#arrived = received;
    this.#committed = received;
    this.#queued = theirs;
    this.#phase = 'up';
    this.#queue.session({ name: 'welcome', body: { version, received, heartbeatMs, at: clock.now() } });
    this.#queue.open();
    this.#pump.run();
    const link: AcceptedLink = {
      party,
      received: theirs,
      send: (message, mid) => this.#sendDurable(message, mid, receiver.sequence - 1),
      show: (checkpoint) => this.#show(checkpoint),
      close: (reason) => this.close(reason),
    };
    onReady(link);
  }

  #sendDurable(message: DurableControlMessage, mid: number, echo: number): void {
    if (this.#phase !== 'up' || this.#session === undefined) return;
    if (mid !== this.#queued + 1) throw new RangeError(`message id ${mid} does not follow ${this.#queued}`);
    const complete: Message = message.name === 'lease' ? { name: 'lease', body: { ...message.body, echo } } : message;
    checkQueueable(complete, 'control-plane', this.#session.party.role);
    this.#queued = mid;
    this.#queue.durable({ message: complete, mid });
    this.#pump.run();
  }

  #show(body: MessageBody<'log-checkpoint'>): void {
    if (this.#phase !== 'up') return;
    this.#queue.show({ name: 'log-checkpoint', body });
    this.#pump.run();
  }

  /** Runs a callback after those before it; what it queued then leaves. */
  #next(step: () => Promise<void>): void {
    this.#waiting += 1;
    if (this.#waiting === MOST_WAITING) this.#transport.hold(true);
    this.#tail = this.#tail.then(async () => {
      try {
        if (!this.#isOver()) await step();
        this.#pump.run();
      } catch (error) {
        this.#fail(error);
      }
      this.#waiting -= 1;
      if (this.#waiting === MOST_WAITING - 1) this.#transport.hold(false);
    });
  }

  #seal(message: Message, mid: number): Uint8Array {
    if (this.#session === undefined) throw new Error('nothing is sealed before the handshake');
    const { bytes } = this.#session.sender.seal(message, mid);
    this.#charge(bytes.length, MESSAGES[message.name].transition);
    return bytes;
  }

  #send(bytes: Uint8Array): void {
    this.#charge(bytes.length, false);
    this.#transport.send(bytes);
  }

  #charge(bytes: number, transition: boolean): void {
    const refilled = refill(this.#budgetOut, this.#now());
    this.#budgetOut = spend(refilled, { bytes, transition }) ?? { ...refilled, tokens: 0 };
  }

  #pays(bytes: number, transition: boolean): boolean {
    const left = spend(refill(this.#budgetIn, this.#now(), READER_DEPTH), { bytes, transition }, READER_DEPTH);
    if (left !== undefined) this.#budgetIn = left;
    return left !== undefined;
  }

  #now(): number {
    return Math.floor(this.#options.clock.monotonic());
  }

  /** Asked anew after each pause: the connection may have ended meanwhile. */
  #isOver(): boolean {
    return this.#phase === 'over';
  }

  #expectFrame(within: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#options.clock.after(within, () => this.#end('timed-out'));
  }

  #refuse(code: FrameRefusal): void {
    if (this.#phase === 'over') return;
    const reason = code === 'budget' || code === 'version' ? code : 'protocol';
    if (this.#session !== undefined) this.#transport.send(this.#seal({ name: 'goodbye', body: { reason } }, 0));
    this.#end(code, reason);
  }

  #fail(error: unknown): void {
    if (this.#phase === 'over') return;
    this.#options.log.error('control-link.failed', errorFields(error));
    if (this.#session !== undefined)
      this.#transport.send(this.#seal({ name: 'goodbye', body: { reason: 'protocol' } }, 0));
    this.#end('failed', 'protocol');
  }

  #end(code: LinkEnd['code'], reason?: GoodbyeReason): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#ending = { code, reason };
    this.#cancelDeadline();
    this.#pump.stop();
    if (code === 'timed-out') this.#transport.cut();
    else this.#transport.close();
  }

  #over(): void {
    this.#end('closed');
    const { bytesIn, bytesOut } = this.#transport;
    void this.#tail.then(() => this.#options.onEnd({ ...this.#ending, bytesIn, bytesOut }));
  }
}

function isDurable(message: Message): message is DurablePartyMessage {
  const { durable, sender } = MESSAGES[message.name];
  return durable && sender !== 'control-plane';
}
