import { errorFields, sleep, type Clock, type EpochMs, type MonotonicMs, type Log, type Rng } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import type { Digest, Envelope, SigningKey } from '@ringfence/crypto/sign';
import { FlError } from '@ringfence/fl/error';
import type { RoundTask } from '@ringfence/protocol/federation';
import { PASSING_ROUND_REFUSALS, type RoundAnswer, type RoundReport } from '@ringfence/protocol/payload';
import { AgentError } from '../../agent-error.ts';
import type { JobRound } from '../job-socket/job-socket.ts';
import { littleEndianFloats, type JobUpdate } from '../job-socket/read-update.ts';
import { evaluationRound, evaluationVector } from '../round/evaluation.ts';
import { roundOf, vectorOf, type FederationTerms } from '../round/federation-terms.ts';
import type { AggregatorLine } from '../transport/aggregator-line.ts';
import {
  readMessage,
  writeMessage,
  type FederationMessage,
  type FederationWord,
} from '../transport/federation-message.ts';
import { ClientRound, type ClientRoundEnd } from './client-round.ts';
import { roundReportOf } from './round-report.ts';

/** What a client's part in a federation works with. */
export interface ClientRoleParts {
  readonly terms: FederationTerms;
  /** Place in the contract's list. */
  readonly member: number;
  readonly identity: SigningKey;
  /** Begins a session at the aggregator, whenever that is there. */
  readonly line: (signal: AbortSignal) => Promise<Pick<AggregatorLine, 'send' | 'next' | 'model'>>;
  /** Asks the custodian for leave; undefined where it cannot be reached. */
  readonly leave: (round: number, signal: AbortSignal) => Promise<RoundAnswer | undefined>;
  /** Tells the custodian what came of a round. */
  readonly report: (round: number, report: RoundReport) => void;
  /** Shows a round to the job; resolves with its update. */
  readonly train: (round: Omit<JobRound, 'config'>, signal: AbortSignal) => Promise<JobUpdate | undefined>;
  /** The highest step that may have been answered. */
  readonly sequence: () => number;
  /** Resolves once it is on disk that this step may be answered. */
  readonly burn: (sequence: number) => Promise<void>;
  /** A line for whoever reads the log of the attempt. */
  readonly say: (line: string) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** How a client's part ended. */
export type ClientRoleEnd =
  | { readonly outcome: 'finished'; readonly model: Float32Array | undefined }
  | { readonly outcome: 'ended'; readonly reason: string };

/** For what a client that ends says last. */
const TELL_WITHIN_MS = 10_000;
/** So many messages are answered at once; an aggregator of this release waits for the answer to each. */
const MOST_ANSWERS = 64;
/** A leave holds so long from when it was asked for, by a clock that nobody sets: a withdrawal stops the next round within this time. */
const LEAVE_HOLDS_MS = 10_000;

interface Prepared {
  readonly round: number;
  readonly task: RoundTask;
  readonly model: Digest;
  readonly update: JobUpdate;
  readonly notAfter: EpochMs;
  /** When its leave was asked for. */
  readonly askedAt: MonotonicMs;
}

interface Summing {
  readonly number: number;
  readonly task: RoundTask;
  readonly round: ClientRound;
}

type Announced = Extract<FederationWord, { kind: 'announce' }>;
type Line = Awaited<ReturnType<ClientRoleParts['line']>>;

/**
 * A client's part in a federation, from its first session at the aggregator to the last round: leave from the custodian, training in the job, then secure
 * aggregation. Nothing is trained without leave, and nothing leaves but frames of secure aggregation.
 */
export class ClientRole {
  readonly #parts: ClientRoleParts;
  #training: (Pick<Prepared, 'round' | 'task' | 'model'> & { readonly given: AbortController }) | undefined;
  #prepared: Prepared | undefined;
  #summing: Summing | undefined;
  #asking: Promise<unknown> = Promise.resolve();
  #end: ClientRoleEnd | undefined;

  constructor(parts: ClientRoleParts) {
    this.#parts = parts;
  }

  /** Takes part until there are no more rounds. Throws ClientError when the aggregator is away for too long, and `aborted` with `signal`. */
  async run(signal: AbortSignal): Promise<ClientRoleEnd> {
    try {
      while (this.#end === undefined) {
        const line = await this.#parts.line(signal);
        await this.#session(line, signal).catch((error: unknown) => {
          // The aggregator began anew: what was under way is burned.
          if (!(error instanceof AgentError) || error.code !== 'session-over') throw error;
          this.#parts.log.info('federation.session-over', {});
        });
        this.#drop();
      }
      return this.#end;
    } finally {
      this.#drop();
    }
  }

  async #session(line: Line, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    let failure: unknown;
    let answering = 0;
    const background = (work: Promise<void>): void => {
      answering += 1;
      void work
        .catch((error: unknown) => {
          failure ??= error;
          stop();
        })
        .finally(() => {
          answering -= 1;
          if (this.#end !== undefined) stop();
        });
      if (answering > MOST_ANSWERS)
        throw new ClientError('bad-response', 'the aggregator asks for more than this client can answer at once');
    };
    try {
      while (this.#end === undefined) {
        const message = readMessage(await line.next(over.signal));
        if (message === undefined)
          throw new ClientError('bad-response', 'the aggregator sent no message of this release');
        await this.#take(message, line, { signal: over.signal, background });
      }
    } catch (error) {
      // What ended in the background is why nothing is waited for any more.
      if (this.#end === undefined) throw failure ?? error;
    } finally {
      signal.removeEventListener('abort', stop);
      over.abort();
    }
  }

  async #take(
    message: FederationMessage,
    line: Line,
    { signal, background }: { signal: AbortSignal; background: (work: Promise<void>) => void },
  ): Promise<void> {
    switch (message.kind) {
      case 'announce':
        return background(this.#prepare(message, line, signal));
      case 'begin':
        return background(this.#begin(message.round, line, signal));
      case 'frame':
        if (this.#summing?.number === message.round) await this.#summing.round.take(message.frame);
        return;
      case 'over':
        return background(this.#over(message));
      case 'end':
        return this.#finish(message, line, signal);
      case 'ready':
      case 'decline':
      case 'withdrawal':
      case 'bye':
        throw new ClientError('bad-response', 'the aggregator sent a message that is a client’s');
    }
  }

  /** Leave, model, training: all that comes before secure aggregation. */
  async #prepare(announced: Announced, line: Line, signal: AbortSignal): Promise<void> {
    const { round, model } = announced;
    const task = taskOf(announced);
    if (task === 'evaluate' && this.#parts.terms.contract.evaluation === undefined)
      throw new ClientError('bad-response', 'the aggregator asks for an evaluation, and the contract for none');
    if (this.#summing !== undefined && this.#summing.number !== round) this.#forsake();
    // Announced again since too few were ready: nothing is trained twice.
    if (isSame(this.#training, { round, task, model: model.digest })) return;
    if (!isSame(this.#prepared, { round, task, model: model.digest })) {
      this.#training?.given.abort();
      const given = new AbortController();
      const training = { round, task, model: model.digest, given };
      this.#training = training;
      this.#prepared = undefined;
      const prepared = await this.#train(announced, line, signal, given.signal).catch((error: unknown) => {
        // Given up for another round.
        if (given.signal.aborted && !signal.aborted) return undefined;
        throw error;
      });
      if (this.#training !== training) return;
      this.#training = undefined;
      if (prepared === undefined) return;
      this.#prepared = prepared;
    }
    return line.send(writeMessage({ kind: 'ready', round }), signal);
  }

  async #train(
    announced: Announced,
    line: Line,
    session: AbortSignal,
    given: AbortSignal,
  ): Promise<Prepared | undefined> {
    const { clock } = this.#parts;
    const signal = AbortSignal.any([session, given]);
    const { round, model } = announced;
    const task = taskOf(announced);
    // One at a time, and to its end: rounds that are announced faster than the custodian answers cost no leave each.
    let askedAt = clock.monotonic();
    const asked = this.#asking.then(() => {
      askedAt = clock.monotonic();
      return signal.aborted ? undefined : this.#leave(round, line, session);
    });
    this.#asking = asked.catch(() => {});
    const leave = await asked;
    if (leave === undefined || signal.aborted) return undefined;
    if (model.bytes !== this.#parts.terms.parameters * 4)
      throw new ClientError('bad-response', 'the model has another size than the contract says');
    const bytes = await line.model(model.digest, model.bytes, signal);
    const update = await this.#parts.train({ round, task, model: littleEndianFloats(bytes) }, signal);
    return update === undefined
      ? undefined
      : { round, task, model: model.digest, update, notAfter: leave.notAfter, askedAt };
  }

  /** The custodian's leave; without it the aggregator hears why, and undefined is the answer. */
  async #leave(
    round: number,
    line: Line,
    signal: AbortSignal,
  ): Promise<Extract<RoundAnswer, { result: 'leave' }> | undefined> {
    const { leave, say } = this.#parts;
    const answer = await leave(round, signal);
    if (answer?.result === 'leave') return answer;
    const reason = answer?.reason ?? 'custodian-away';
    say(`round ${round}: no leave from the custodian: ${[reason, ...(answer?.checks ?? [])].join(', ')}`);
    const told = async (): Promise<void> => {
      for (const withdrawal of (answer?.withdrawals ?? []) as readonly Envelope[])
        await line.send(writeMessage({ kind: 'withdrawal', withdrawal }), signal);
      await line.send(writeMessage({ kind: 'decline', round, reason }), signal);
    };
    if (answer === undefined || PASSING_ROUND_REFUSALS.has(answer.reason)) await told();
    else {
      await this.#last(told(), signal);
      this.#end = { outcome: 'ended', reason };
    }
    return undefined;
  }

  async #begin(number: number, line: Line, signal: AbortSignal): Promise<void> {
    const prepared = this.#prepared;
    if (prepared?.round !== number || this.#summing !== undefined)
      return this.#decline(number, 'not-ready', line, signal);
    const { terms, member, identity, rng, log, clock, burn, sequence } = this.#parts;
    // A leave that has run out is asked for again: whoever withdrew meanwhile is heard.
    const hasRunOut = clock.now() > prepared.notAfter || clock.monotonic() - prepared.askedAt > LEAVE_HOLDS_MS;
    if (hasRunOut && (await this.#leave(number, line, signal)) === undefined) return;
    // Another message may have come meanwhile.
    if (this.#prepared !== prepared || this.#summing !== undefined)
      return this.#decline(number, 'not-ready', line, signal);
    try {
      const { task, model, update } = prepared;
      const round = new ClientRound(
        {
          round: (task === 'evaluate' ? evaluationRound : roundOf)(terms, number, model),
          member,
          sequence: sequence(),
        },
        task === 'evaluate' ? evaluationVector(terms, update) : vectorOf(terms, number, update, rng),
        { identity, rng },
        { burn, send: (frame) => line.send(writeMessage({ kind: 'frame', round: number, frame }), signal), log },
      );
      this.#summing = { number, task, round };
    } catch (error) {
      if (!(error instanceof FlError)) throw error;
      log.warn('federation.not-begun', errorFields(error));
      return this.#decline(number, error.code, line, signal);
    }
    // A link that is lost in a round is this session's end, not this agent's.
    const end = await this.#summing.round.ended;
    if (end.outcome === 'aborted') this.#parts.say(`round ${number}: this client left: ${end.code}`);
  }

  #decline(round: number, reason: string, line: Line, signal: AbortSignal): Promise<void> {
    return line.send(writeMessage({ kind: 'decline', round, reason }), signal);
  }

  async #over(message: Extract<FederationWord, { kind: 'over' }>): Promise<void> {
    const { round, outcome, reason } = message;
    const summing = this.#summing?.number === round ? this.#summing : undefined;
    // What is said of a round that this client is not in changes nothing: an update and its leave are kept.
    if (summing === undefined && this.#prepared?.round !== round && this.#training?.round !== round) return;
    if (summing !== undefined && this.#prepared?.round === round) this.#prepared = undefined;
    this.#parts.say(`round ${round}: ${outcome}${reason === undefined ? '' : `: ${reason}`}`);
    if (summing === undefined) return;
    this.#summing = undefined;
    if (outcome === 'aborted') summing.round.stop();
    this.#report(summing, message, await summing.round.ended);
  }

  #report({ number, task, round }: Summing, said: Parameters<typeof roundReportOf>[1], end: ClientRoundEnd): void {
    const report = roundReportOf(this.#parts.terms, said, { end, isUnmasked: round.isUnmasked });
    this.#parts.report(number, task === 'evaluate' ? { ...report, task } : report);
  }

  /** A round that the aggregator says no more of is over; what was opened of it counts. */
  #forsake(): void {
    const summing = this.#summing;
    if (summing === undefined) return;
    this.#summing = undefined;
    this.#prepared = undefined;
    summing.round.stop();
    const stopped: ClientRoundEnd = { outcome: 'aborted', code: 'stopped' };
    void summing.round.ended.catch(() => stopped).then((end) => this.#report(summing, { outcome: 'aborted' }, end));
  }

  async #finish(
    { outcome, model }: Extract<FederationWord, { kind: 'end' }>,
    line: Line,
    signal: AbortSignal,
  ): Promise<void> {
    const { terms } = this.#parts;
    const wanted = outcome === 'finished' && model !== undefined && model.bytes === terms.parameters * 4;
    const bytes = wanted ? await line.model(model.digest, model.bytes, signal) : undefined;
    const values = bytes === undefined ? undefined : littleEndianFloats(bytes);
    if (values !== undefined && !values.every(Number.isFinite))
      throw new ClientError('bad-response', 'the model that the aggregator ended with holds NaN or infinity');
    this.#end = outcome === 'finished' ? { outcome, model: values } : { outcome: 'ended', reason: outcome };
    await this.#last(line.send(writeMessage({ kind: 'bye', received: wanted }), signal), signal);
  }

  /** Waits for last words, but not for long: the aggregator may have heard them and be gone. */
  async #last(told: Promise<void>, signal: AbortSignal): Promise<void> {
    await Promise.race([told.catch(() => {}), sleep(this.#parts.clock, TELL_WITHIN_MS, signal)]);
  }

  #drop(): void {
    this.#training?.given.abort();
    this.#training = undefined;
    // What was trained for a round that had not begun is as good at the next session.
    this.#forsake();
  }
}

function isSame(
  one: Pick<Prepared, 'round' | 'task' | 'model'> | undefined,
  other: Pick<Prepared, 'round' | 'task' | 'model'>,
): boolean {
  return one?.round === other.round && one.task === other.task && one.model === other.model;
}

function taskOf({ task }: Announced): RoundTask {
  return task ?? 'train';
}
