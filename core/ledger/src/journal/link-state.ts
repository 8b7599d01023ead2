import { fullBudget, refill, spend, type Budget } from '@ringfence/protocol/frames';
import { MESSAGES } from '@ringfence/protocol/messages';
import type { JournalFields, JournalRecord, JournalRecordOf, QueuedMessage } from './journal-record.ts';

/** Whose journal it is, and of the link to which control plane. */
export type JournalOwner = Pick<JournalRecordOf<'start'>, 'role' | 'party' | 'org' | 'link' | 'seed'>;

/** What a checkpoint carries besides its place and signature. */
export type LinkCheckpoint = Omit<Extract<JournalFields, { kind: 'checkpoint' }>, 'kind' | 'sig'>;

const TRANSITIONS: ReadonlySet<number> = new Set(
  Object.values(MESSAGES)
    .filter(({ transition }) => transition)
    .map(({ number }) => number),
);

/** What a party remembers of its link; the same records give the same state again after a crash. */
export class LinkState {
  #owner: JournalOwner | undefined;
  #received = 0;
  #queued = 0;
  #acknowledged = 0;
  #unacknowledged: QueuedMessage[] = [];
  #budget: Budget = fullBudget(0);
  #opened = 0;

  /** As the newest start record names it. */
  get owner(): JournalOwner | undefined {
    return this.#owner;
  }

  /** Highest id of the control plane's durable messages that this side has marked as processed. */
  get received(): number {
    return this.#received;
  }

  /** Highest id that this side has given to a durable message. */
  get queued(): number {
    return this.#queued;
  }

  /** Highest id that the control plane has acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Durable messages above {@link LinkState.acknowledged}, in order. */
  get unacknowledged(): readonly QueuedMessage[] {
    return this.#unacknowledged;
  }

  /** What this side may send, over all connections, as of the last frame. */
  get budget(): Budget {
    return this.#budget;
  }

  /** How many open frames there were. */
  get opened(): number {
    return this.#opened;
  }

  /** What a checkpoint says of the link: everything that later records build on. */
  checkpoint(): LinkCheckpoint {
    if (this.#owner === undefined) throw new Error('a journal without a start has no checkpoint');
    return {
      ...this.#owner,
      opened: this.#opened,
      received: this.#received,
      queued: this.#queued,
      acknowledged: this.#acknowledged,
      unacknowledged: [...this.#unacknowledged],
      budget: { ...this.#budget },
    };
  }

  /** Takes the next record of the journal. */
  apply(record: JournalRecord): void {
    switch (record.kind) {
      case 'start':
        return this.#start(record);
      case 'checkpoint':
        return this.#restore(record);
      case 'open':
        this.#opened += 1;
        return this.#pay(record.t, Buffer.byteLength(record.frame, 'base64'), false);
      case 'frame':
        return record.dir === 'out' ? this.#sent(record) : this.#arrived(record);
      case 'fact':
        this.#received = Math.max(this.#received, record.of ?? 0);
        return this.#queue(record.queue ?? []);
      case 'queue':
        return this.#queue(record.queue);
      case 'accept':
      case 'dial':
      case 'hangup':
      case 'refused':
      case 'disconnect':
        return;
    }
  }

  #restore(record: JournalRecordOf<'checkpoint'>): void {
    this.#owner = ownerOf(record);
    this.#opened = record.opened;
    this.#received = record.received;
    this.#queued = record.queued;
    this.#acknowledged = record.acknowledged;
    this.#unacknowledged = [...record.unacknowledged];
    this.#budget = record.budget;
  }

  #start(record: JournalRecordOf<'start'>): void {
    const { t, seq } = record;
    this.#owner = ownerOf(record);
    this.#budget = seq === 1 ? fullBudget(t) : refill(this.#budget, t);
  }

  #queue(messages: readonly QueuedMessage[]): void {
    for (const message of messages) {
      this.#queued = message.mid;
      this.#unacknowledged.push(message);
    }
  }

  #sent({ t, size, number, body }: JournalRecordOf<'frame'>): void {
    this.#pay(t, size, TRANSITIONS.has(number));
    if (number === MESSAGES.ack.number) this.#received = Math.max(this.#received, numberIn(body, 'mid'));
    if (number === MESSAGES.hello.number) this.#received = Math.max(this.#received, numberIn(body, 'received'));
  }

  #arrived({ number, body }: JournalRecordOf<'frame'>): void {
    if (number === MESSAGES['control-ack'].number) this.#acknowledge(numberIn(body, 'mid'));
    if (number === MESSAGES.welcome.number) this.#acknowledge(numberIn(body, 'received'));
  }

  #acknowledge(mid: number): void {
    if (mid <= this.#acknowledged) return;
    this.#acknowledged = mid;
    this.#unacknowledged = this.#unacknowledged.filter((message) => message.mid > mid);
  }

  #pay(t: number, bytes: number, transition: boolean): void {
    const refilled = refill(this.#budget, t);
    this.#budget = spend(refilled, { bytes, transition }) ?? { tokens: 0, at: t };
  }
}

/** Whose journal a start or a checkpoint names. */
export function ownerOf({ role, party, org, link, seed }: JournalOwner): JournalOwner {
  return { role, party, org, link, ...(seed === undefined ? {} : { seed }) };
}

/** A verification reads bodies that nobody checked before: what is no number counts as none. */
function numberIn(body: JournalRecordOf<'frame'>['body'], name: string): number {
  const value = body[name];
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : 0;
}
