import { canonicalJson } from '@ringfence/base';
import type { PartyRole } from '@ringfence/protocol/frames';
import {
  COUNTER_HOLD_MS,
  MESSAGES,
  type Message,
  type MessageBody,
  type MessageName,
} from '@ringfence/protocol/messages';
import { fieldBits, type FieldBits } from './field-capacity.ts';
import { SlidingMaximum } from './sliding-maximum.ts';
import type { ChoiceBits, Smuggling, SmugglingLine } from './smuggling.ts';

const GOAL = { perAttempt: 256, perMinute: 64 } as const;
const MINUTE = 60_000;
/** A nonce of 32 bytes and a share of 1,216: random, so free to choose for hostile code. */
const OPEN_BITS = 8 * (32 + 1_216);
/**
 * A hash that is checked can still be steered by trying contents, between the record before it and the frame that names it: 2^48 hashes
 * are half a year of a processor core, or seven hours of a large accelerator.
 */
const STEERED_HASH_BITS = 48;
/** Freedom in the nonce of an Ed25519 signature that nobody made again. */
const SIGNATURE_BITS = 252;
const NOT_COUNTED = [
  'when frames are sent, and how long a job runs: time is not counted',
  'whether a connection is made at all',
  'the WebSocket and TLS around the frames: masking keys (32 bits a frame) and the randomness of the TLS handshake',
  'anything that leaves by another way than this link',
];

/** Fields whose value the verification shows to be fixed by others or by the journal; what freedom is left is counted apart. */
const FIXED: Partial<Record<MessageName, readonly string[]>> = {
  hello: [
    'role',
    'party',
    'org',
    'versions.min',
    'versions.max',
    'journal.seq',
    'journal.hash',
    'resume',
    'resume.seq',
    'resume.hash',
    'received',
  ],
  ack: ['mid', 'journal', 'journal.seq', 'journal.hash'],
};
/** Fields that the job decides by what it does. */
const BY_JOB: Partial<Record<MessageName, readonly string[]>> = {
  heartbeat: ['attempts[].memory', 'attempts[].cpu'],
  'attempt-status': ['state', 'outcome'],
};

interface Run {
  readonly job: string;
  readonly attempt: number;
}

/** Counts what could have been chosen, frame by frame, in the order of the journal. */
export class SmugglingCount {
  readonly #choices: number;
  readonly #leased = new Set<string>();
  readonly #live = new Set<string>();
  readonly #jobMinutes = new Map<string, SlidingMaximum>();
  readonly #jobAttempts = new Map<string, number>();
  readonly #agentMinutes = new SlidingMaximum(MINUTE);
  readonly #agentAttempts = new Map<string, number>();
  readonly #shown = new Map<string, { counters: string; since: number }>();
  readonly #lines = new Map<string, SmugglingLine>();
  /** Attempts whose steps the control plane's durable messages are. */
  readonly #caused = new Map<number, string>();
  #offer: MessageBody<'offer'> | undefined;
  #arrived = 0;
  #acknowledged = 0;
  #perConnection = 0;
  #openBits = 0;
  #offered = false;
  #once = 0;
  #handshakesFixed = true;
  #ofConnections = 0;

  constructor(role: PartyRole) {
    const mine = Object.values(MESSAGES).filter(({ sender }) => sender === 'party' || sender === role);
    this.#choices = Math.log2(mine.length);
  }

  /** The control plane leased this attempt: its id is none of the party's choosing. */
  leased({ job, attempt }: Run): void {
    this.#leased.add(keyOf({ job, attempt }));
    this.#live.add(keyOf({ job, attempt }));
  }

  /** A durable message of the control plane arrived; `run` is the attempt that it is a step of. */
  arrived(mid: number, run?: Run): void {
    this.#arrived = Math.max(this.#arrived, mid);
    if (run !== undefined) this.#caused.set(mid, keyOf(run));
  }

  /** An open frame was sent; `derived`: it was made again from the seed that the journal commits to. */
  opened(derived: boolean): void {
    this.#openBits = derived ? 0 : OPEN_BITS;
    this.#handshakesFixed &&= derived;
    this.#line('open', 'nonce and key share', 'agent', this.#openBits);
    this.#ofConnections += this.#openBits;
    this.#perConnection = Math.max(this.#perConnection, this.#openBits);
  }

  /**
   * A frame was sent at `t`. `again`: a durable message that crossed before with the same content, which says nothing
   * new. `signatureFixed`: there is none, or it was made again.
   */
  sent(message: Message, frame: { t: number; again: boolean; signatureFixed: boolean }): void {
    const { name } = message;
    const bits: { chooser: 'job' | 'agent'; field: string; bits: number }[] = [
      { chooser: 'agent', field: 'which message', bits: this.#choices },
    ];
    if (!frame.signatureFixed) bits.push({ chooser: 'agent', field: 'signature', bits: SIGNATURE_BITS });
    if (!frame.again) bits.push(...this.#contentBits(message, frame.t));
    for (const line of bits) this.#line(name, line.field, line.chooser, line.bits);
    const sum = (chooser?: 'job'): number =>
      bits.reduce((total, line) => total + (chooser === undefined || line.chooser === chooser ? line.bits : 0), 0);
    this.#book(message, frame.t, { all: sum(), job: sum('job') });
    if (message.name === 'attempt-status') this.#step(message.body);
  }

  /** The account up to here; `commitments`: how many seeds the journal has named, each of which could have been sought out. */
  result(signaturesFixed: boolean, commitments = 0): Smuggling {
    const most = (values: Iterable<number>): number => Math.ceil(Math.max(0, ...values));
    const minutes = [...this.#jobMinutes.values()];
    const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
    const job = {
      perAttempt: most(this.#jobAttempts.values()),
      perMinute: most(minutes.map((minute) => minute.maximum())),
      total: Math.ceil(sum(this.#jobAttempts.values()) + sum(minutes.map((minute) => minute.total()))),
    };
    const seeds = commitments * STEERED_HASH_BITS;
    const agent = {
      perAttempt: most(this.#agentAttempts.values()),
      perMinute: Math.ceil(this.#agentMinutes.maximum()),
      perConnection: Math.ceil(this.#perConnection),
      once: Math.ceil(this.#once + seeds),
      total: Math.ceil(
        sum(this.#agentAttempts.values()) + this.#agentMinutes.total() + this.#ofConnections + this.#once + seeds,
      ),
    };
    return {
      job,
      agent,
      goal: GOAL,
      jobMeetsGoal: meets(job),
      agentMeetsGoal: meets(agent) && agent.perConnection <= GOAL.perMinute,
      signaturesFixed,
      handshakesFixed: this.#handshakesFixed,
      lines: Array.from(this.#lines.values(), (line) => ({ ...line, bits: Math.ceil(line.bits) })),
      notCounted: NOT_COUNTED,
    };
  }

  #contentBits(message: Message, t: number): { chooser: 'job' | 'agent'; field: string; bits: number }[] {
    const { name, body } = message;
    const free = fieldBits(name, body).filter(({ field }) => FIXED[name]?.includes(field) !== true);
    const counted = this.#unfixed(message, free).flatMap(({ field, path, bits }) => {
      const byJob = BY_JOB[name]?.includes(field) === true;
      if (message.name === 'heartbeat' && byJob && this.#isHeld(message.body, path, t)) return [];
      return [{ chooser: byJob ? ('job' as const) : ('agent' as const), field, bits }];
    });
    if (message.name === 'heartbeat') this.#remember(message.body, t);
    const left = this.#freedomLeft(message);
    return left > 0 ? [...counted, { chooser: 'agent', field: 'freedom left', bits: left }] : counted;
  }

  /** Takes off ids that a lease, or an earlier offer, has fixed. */
  #unfixed(message: Message, fields: readonly FieldBits[]): readonly FieldBits[] {
    if (message.name === 'heartbeat' && message.body.attempts.every((run) => this.#leased.has(keyOf(run))))
      return fields.filter(({ field }) => !/^attempts(\.length|\[\]\.(job|attempt))$/.test(field));
    if (message.name === 'attempt-status' && this.#leased.has(keyOf(message.body)))
      return fields.filter(({ field }) => field !== 'job' && field !== 'attempt');
    if (message.name !== 'offer') return fields;
    const before = this.#offer;
    this.#offer = message.body;
    const { offer, site, epoch } = message.body;
    if (before !== undefined && canonicalJson({ ...before, epoch: before.epoch + 1 }) === canonicalJson(message.body))
      return [];
    return fields.filter(({ field }) => {
      if (field === 'offer') return before?.offer !== offer;
      if (field === 'site') return before?.site !== site;
      return field !== 'epoch' || epoch !== (before?.epoch ?? 0) + 1;
    });
  }

  /** Which live attempts a heartbeat names and in which order; how far an acknowledgement goes; hashes that could be steered. */
  #freedomLeft({ name, body }: Message): number {
    if (name === 'heartbeat') return Math.log2(arrangements(this.#live.size));
    // Whether it says anything new.
    if (name === 'offer') return 1;
    if (name === 'hello') return STEERED_HASH_BITS + Math.log2(this.#arrived + 1);
    if (name !== 'ack') return 0;
    const reachable = Math.max(0, this.#arrived - this.#acknowledged);
    this.#acknowledged = Math.max(this.#acknowledged, 'mid' in body ? body.mid : 0);
    return STEERED_HASH_BITS + Math.log2(reachable + 1);
  }

  #isHeld({ attempts }: MessageBody<'heartbeat'>, path: string, t: number): boolean {
    const beat = attempts[Number(/\d+/.exec(path)?.[0])];
    if (beat === undefined) return false;
    const before = this.#shown.get(keyOf(beat));
    return before !== undefined && t - before.since < COUNTER_HOLD_MS && before.counters === countersOf(beat);
  }

  #remember({ attempts }: MessageBody<'heartbeat'>, t: number): void {
    for (const beat of attempts) {
      const before = this.#shown.get(keyOf(beat));
      const held = before !== undefined && t - before.since < COUNTER_HOLD_MS && before.counters === countersOf(beat);
      if (!held) this.#shown.set(keyOf(beat), { counters: countersOf(beat), since: t });
    }
  }

  #book(message: Message, t: number, { all, job }: { all: number; job: number }): void {
    if (message.name === 'attempt-status') {
      const key = keyOf(message.body);
      this.#jobAttempts.set(key, (this.#jobAttempts.get(key) ?? 0) + job);
      this.#agentAttempts.set(key, (this.#agentAttempts.get(key) ?? 0) + all);
    } else if (message.name === 'hello') {
      this.#ofConnections += all;
      this.#perConnection = Math.max(this.#perConnection, this.#openBits + all);
    } else if (message.name === 'ack' && this.#caused.has(message.body.mid)) {
      const key = this.#caused.get(message.body.mid) ?? '';
      this.#agentAttempts.set(key, (this.#agentAttempts.get(key) ?? 0) + all);
    } else if (message.name === 'offer' && !this.#offered) {
      this.#offered = true;
      this.#once += all;
    } else this.#agentMinutes.add(t, all);
    if (message.name !== 'heartbeat' || job === 0) return;
    // Spread evenly over the attempts of this heartbeat that could move.
    for (const beat of message.body.attempts) {
      const key = keyOf(beat);
      if (this.#shown.get(key)?.since !== t) continue;
      const minute = this.#jobMinutes.get(key) ?? new SlidingMaximum(MINUTE);
      minute.add(t, 2 * Math.log2(64));
      this.#jobMinutes.set(key, minute);
    }
  }

  #step(body: MessageBody<'attempt-status'>): void {
    if (body.state !== 'stopped' && body.state !== 'refused') return;
    this.#live.delete(keyOf(body));
  }

  #line(message: SmugglingLine['message'], field: string, chooser: 'job' | 'agent', bits: number): void {
    const key = `${message} ${field}`;
    const before = this.#lines.get(key)?.bits ?? 0;
    this.#lines.set(key, { message, field, chooser, bits: before + bits });
  }
}

function keyOf({ job, attempt }: Run): string {
  return `${job} ${attempt}`;
}

function countersOf({ memory, cpu }: { memory: number; cpu: number }): string {
  return `${memory} ${cpu}`;
}

/** How many ordered selections there are of `count` things. */
function arrangements(count: number): number {
  let sum = 1;
  let product = 1;
  for (let taken = 0; taken < count; taken += 1) {
    product *= count - taken;
    sum += product;
  }
  return sum;
}

function meets({ perAttempt, perMinute }: ChoiceBits): boolean {
  return perAttempt <= GOAL.perAttempt && perMinute <= GOAL.perMinute;
}
