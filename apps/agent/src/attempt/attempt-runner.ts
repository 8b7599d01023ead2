import { errorFields, whenAborted, type JobId } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import type { RecordKey } from '@ringfence/crypto/record';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { AttemptView } from '@ringfence/protocol/payload';
import { watchCheckpoint } from '../checkpoints/checkpoint-watch.ts';
import { startAggregation } from '../federation/aggregator/aggregator-attempt.ts';
import type { LinkContext } from '../link/link-context.ts';
import { LogSealer } from '../logs/log-sealer.ts';
import type { Running } from '../sandbox/index.ts';
import { UploadNote } from '../outputs/upload-note.ts';
import { beginReplica, stopAfterDrain } from '../serving/serve-attempt.ts';
import { admit } from './admit.ts';
import { askGrant } from './ask-grant.ts';
import { leasedFact, refusedFact } from './attempt-facts.ts';
import {
  EMPTY_MACHINE,
  forgo,
  resumeUpload,
  stepMachine,
  type AttemptId,
  type MachineCommand,
  type MachineEvent,
  type MachineState,
} from './attempt-machine.ts';
import { AttemptWork, type ArrivedLease } from './attempt-work.ts';
import { collect, commit } from './commit-results.ts';
import { recordStopped, tellStopped, type AttemptEnding } from './end-attempt.ts';
import type { LaidOut } from './lay-out.ts';
import { logBucket } from './log-bucket.ts';
import { judgeExit, prepare, start } from './run-job.ts';
import { AttemptEnd } from './step-error.ts';
import { untilRoom } from './until-room.ts';
import { isPassing } from './with-custodian.ts';

type Beat = MessageBody<'heartbeat'>['attempts'][number];

/** Does what the attempt machine of one link decides, and reports back to it. */
export class AttemptRunner {
  readonly #context: LinkContext;
  readonly #key: RecordKey;
  readonly #works = new Map<string, AttemptWork>();
  readonly #laidOut = new Map<string, LaidOut>();
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #sealer: LogSealer;
  readonly #wakes = new Set<() => void>();
  /** Attempts whose upload the next process goes on with. */
  readonly #left = new Set<string>();
  readonly #onOver: () => void;
  #state: MachineState;

  /** `onOver` is called when an attempt is over and everybody who has to know was told, or will be by the next process. */
  constructor(
    context: LinkContext,
    key: RecordKey,
    highest: ReadonlyMap<JobId, number>,
    onOver: () => void = () => {},
  ) {
    this.#onOver = onOver;
    this.#context = context;
    this.#key = key;
    this.#sealer = new LogSealer(context, this.#closing.signal);
    this.#state = { ...EMPTY_MACHINE, highest };
  }

  /** Sends on the logs that an earlier process did not get to the custodian. */
  sealLogs(): void {
    this.#sealer.recover();
  }

  /** Resolves once no log is on its way to the custodian any more. */
  logsSettled(): Promise<void> {
    return this.#sealer.settled();
  }

  /** Attempts that are not over. */
  get live(): number {
    return this.#state.live.length;
  }

  /** How an attempt stands, while it is not over. */
  workOf(job: JobId, attempt: number): { view: AttemptView | undefined; work: AttemptWork } | undefined {
    const work = this.#works.get(keyOf({ job, attempt }));
    return work === undefined ? undefined : { view: work.view, work };
  }

  /** Jobs with an attempt that is not over. */
  get jobs(): ReadonlySet<string> {
    return new Set(this.#state.live.map(({ job }) => job));
  }

  /** What the next heartbeat says: nothing that a job chose but how much it uses, in powers of two. */
  beats(): Beat[] {
    return this.#state.live
      .filter(({ phase }) => phase !== 'waiting' && phase !== 'ending')
      .slice(0, 64)
      .map(({ job, attempt }) => ({ job, attempt, ...logBucket(this.#works.get(keyOf({ job, attempt }))?.running) }));
  }

  /** Takes the lease that came as message `mid`; work begins once that is on disk. */
  async lease(
    { job, attempt }: AttemptId,
    arrived: ArrivedLease,
    { mid, ...terms }: { keep: boolean; deadline: number | null; mid: number },
  ): Promise<void> {
    const id = { job, attempt };
    const { fault, machine, metrics, journal } = this.#context;
    if (this.#closing.signal.aborted) throw new ClientError('aborted', 'the agent is stopping');
    fault('lease-before-journal');
    const highestBefore = this.#state.highest.get(job) ?? 0;
    const { state, commands } = stepMachine(this.#state, { type: 'leased', ...id, ...terms }, this.#now());
    this.#state = state;
    if (commands.length === 0) return;
    const refusal = commands.find((command) => command.type === 'refuse');
    if (refusal !== undefined) {
      metrics.refused(refusal.refusal);
      await journal.fact(refusedFact(id, refusal.refusal), mid);
      return this.#run(commands.filter((command) => command !== refusal));
    }
    const end = (): number => this.#state.live.find((attempt) => keyOf(attempt) === keyOf(id))?.deadline ?? 0;
    const work = new AttemptWork(machine.state, id, { ...arrived, highestBefore, end });
    this.#works.set(keyOf(id), work);
    metrics.attempts(this.live);
    await journal.fact(leasedFact(id), mid);
    fault('lease-after-journal');
    this.#run(commands);
  }

  /** Goes on with an upload that an earlier process began; false when what it left is not there. */
  resume({ job, attempt }: AttemptId): boolean {
    const { machine, rng, log, metrics } = this.#context;
    const work = new AttemptWork(machine.state, { job, attempt });
    const upload = UploadNote.read(work.kept, { key: this.#key, rng });
    if (upload === undefined || !work.reopen(this.#context, upload)) return false;
    this.#works.set(keyOf(work.id), work);
    const { state, commands } = resumeUpload(this.#state, work.id);
    this.#state = state;
    log.info('upload.resumed', { ...work.id });
    metrics.attempts(this.live);
    this.#run(commands);
    return true;
  }

  /** From now on refuses a lease of these attempts, and of earlier ones of their jobs. */
  forgo(attempts: readonly AttemptId[]): void {
    this.#state = forgo(this.#state, attempts);
  }

  renew(lease: AttemptId, deadline: number): void {
    this.#take({ type: 'renewed', job: lease.job, attempt: lease.attempt, deadline });
  }

  /** Ends an attempt as it was told; one whose machine is drained was interrupted, and may be tried elsewhere. */
  stop({ job, attempt }: AttemptId, { graceMs, reason }: Pick<MessageBody<'stop'>, 'graceMs' | 'reason'>): void {
    this.#take({ type: 'stop', job, attempt, graceMs, why: reason === 'drain' ? 'interrupted' : 'stopped' });
  }

  /**
   * Ends everything that runs, as interrupted; uploads, and what is not over within `within` milliseconds, are taken up by the next start.
   */
  async close(within: number): Promise<void> {
    for (const { job, attempt, phase } of this.#state.live)
      if (phase === 'collecting') this.#leave({ job, attempt });
      else this.#take({ type: 'stop', job, attempt, graceMs: Math.floor(within / 2), why: 'interrupted' });
    const cancel = this.#context.clock.after(within, () => this.#closing.abort());
    while (this.#underWay.size > 0)
      await Promise.race([Promise.allSettled(this.#underWay), whenAborted(this.#closing.signal)]).finally(() => {
        if (this.#closing.signal.aborted) this.#underWay.clear();
      });
    cancel();
    this.#closing.abort();
    for (const forget of this.#wakes) forget();
  }

  #leave(id: AttemptId): void {
    this.#left.add(keyOf(id));
    this.#works.get(keyOf(id))?.cancelling.abort();
  }

  #take(event: MachineEvent): void {
    const { state, commands } = stepMachine(this.#state, event, this.#now());
    this.#state = state;
    this.#run(commands);
  }

  #run(commands: readonly MachineCommand[]): void {
    for (const command of commands) {
      if (command.type === 'wake') {
        this.#wake(command.at);
        continue;
      }
      const work = this.#works.get(keyOf(command));
      if (work !== undefined) this.#do(command, work);
    }
  }

  #wake(at: number): void {
    if (this.#closing.signal.aborted) return;
    const cancel = this.#context.clock.after(Math.max(0, at - this.#now()), () => {
      this.#wakes.delete(cancel);
      this.#take({ type: 'time' });
    });
    this.#wakes.add(cancel);
  }

  #do(command: Exclude<MachineCommand, { type: 'wake' }>, work: AttemptWork): void {
    switch (command.type) {
      case 'admit':
        return this.#step(work, 'admitted', () => this.#admit(work));
      case 'grant':
        return this.#step(work, 'granted', () => askGrant(this.#context, work));
      case 'prepare':
        return this.#step(
          work,
          'prepared',
          async () => void this.#laidOut.set(keyOf(work.id), await prepare(this.#context, work)),
        );
      case 'start':
        return this.#track(this.#start(work));
      case 'collect':
        return this.#step(work, 'collected', () =>
          collect(this.#context, work, this.#laidOut.get(keyOf(work.id)), this.#key),
        );
      case 'commit':
        return this.#track(this.#commit(work));
      case 'cancel':
        return work.cancelling.abort();
      case 'kill':
        return this.#kill(work, command.graceMs);
      case 'refuse':
        return this.#track(this.#refuse(work, command.refusal));
      case 'end':
        return this.#track(this.#end(work, command));
    }
  }

  /** One step of an attempt: its end is an event, whatever it is. */
  #step(work: AttemptWork, done: 'admitted' | 'granted' | 'prepared' | 'collected', run: () => Promise<void>): void {
    const begun = this.#now();
    work.stepping = run().then(
      () => {
        this.#context.log.debug('attempt.step', { ...work.id, state: done, duration_ms: this.#now() - begun });
        this.#take({ type: done, ...work.id });
      },
      (error: unknown) => this.#failed(work, error),
    );
    this.#track(work.stepping);
  }

  async #admit(work: AttemptWork): Promise<void> {
    await admit(this.#context, work);
    const body = { ...work.id, state: 'accepted' } as const;
    // Not awaited: nothing depends on the control plane hearing it.
    void this.#context.journal.queue({ name: 'attempt-status', body }).catch(() => {});
  }

  async #start(work: AttemptWork): Promise<void> {
    try {
      const laidOut = this.#laidOutOf(work);
      const running = await startAny(this.#context, work, laidOut);
      const checkpoints = watchCheckpoint(this.#context, work, laidOut, running);
      work.running = running;
      beginReplica(this.#context, work, running);
      if (work.killed !== undefined) void running.stop(work.killed).catch(() => {});
      this.#take({ type: 'started', ...work.id });
      const body = { ...work.id, state: 'running' } as const;
      void this.#context.journal.queue({ name: 'attempt-status', body }).catch(() => {});
      const exit = await running.exited;
      this.#context.fault('run-after-exit');
      const outcome = judgeExit(work, exit);
      await checkpoints?.end({
        needed: outcome !== 'succeeded' && outcome !== 'timed-out',
        asked: outcome === 'stopped' && !running.killed(),
        signal: this.#closing.signal,
      });
      this.#take({ type: 'exited', ...work.id, outcome });
    } catch (error) {
      this.#failed(work, error);
    }
  }

  async #commit(work: AttemptWork): Promise<void> {
    work.enter('committing');
    try {
      const committed = await commit(this.#context, work.kept, this.#key, this.#closing.signal);
      if (committed) return this.#take({ type: 'committed', ...work.id });
      work.failure = { class: 'platform' };
      this.#take({ type: 'failed', ...work.id, outcome: 'interrupted' });
    } catch (error) {
      // The agent is stopping: the next start asks again.
      if (!this.#closing.signal.aborted) this.#failed(work, error);
    }
  }

  #kill(work: AttemptWork, graceMs: number): void {
    work.killed = Math.min(graceMs, work.killed ?? graceMs);
    if (work.running === undefined) return;
    stopAfterDrain(work, work.running, work.killed).catch((error: unknown) => {
      this.#context.log.error('sandbox.not-stopped', { ...work.id, ...errorFields(error) });
    });
  }

  #failed(work: AttemptWork, error: unknown): void {
    const { log } = this.#context;
    if (this.#left.has(keyOf(work.id))) return;
    if (error instanceof AttemptEnd) {
      log.info('attempt.refused', {
        ...work.id,
        status: error.outcome,
        reason: [error.refusal, ...error.reasons].join(','),
      });
      if (error.refusal !== undefined) this.#take({ type: 'refused', ...work.id, refusal: error.refusal });
      this.#take({ type: 'failed', ...work.id, outcome: error.outcome });
      return;
    }
    const reported = this.#state.live.find((attempt) => keyOf(attempt) === keyOf(work.id))?.phase !== 'ending';
    if (reported) log.warn('attempt.failed', { ...work.id, ...errorFields(error) });
    work.failure ??= { class: 'platform' };
    this.#take({
      type: 'failed',
      ...work.id,
      outcome: isPassing(error) || !isOwnFault(error) ? 'not-started' : 'failed',
    });
  }

  async #refuse(work: AttemptWork, refusal: Parameters<typeof refusedFact>[1]): Promise<void> {
    this.#context.metrics.refused(refusal);
    work.place?.release();
    await untilRoom(this.#context, this.#closing.signal, () => work.close(this.#context, 'not-started'));
    await this.#context.record(refusedFact(work.id, refusal));
    this.#over(work);
  }

  async #end(work: AttemptWork, ending: AttemptEnding): Promise<void> {
    // What is under way was cancelled; its folder is cleared only when it has let go of it.
    await work.stepping;
    await recordStopped(this.#context, work, ending, this.#closing.signal);
    this.#sealer.seal(work.kept);
    try {
      await tellStopped(this.#context, work.id, ending, { kept: work.kept, signal: this.#closing.signal });
    } catch (error) {
      this.#context.log.warn('stopped.not-told', { ...work.id, ...errorFields(error) });
    }
    this.#over(work);
  }

  #over(work: AttemptWork): void {
    this.#works.delete(keyOf(work.id));
    this.#laidOut.delete(keyOf(work.id));
    this.#take({ type: 'ended', ...work.id });
    this.#context.metrics.attempts(this.live);
    this.#onOver();
  }

  #laidOutOf(work: AttemptWork): LaidOut {
    const laidOut = this.#laidOut.get(keyOf(work.id));
    if (laidOut === undefined) throw new TypeError('only a prepared attempt runs');
    return laidOut;
  }

  #track(run: Promise<void>): void {
    const tracked = run
      .catch((error: unknown) => this.#context.log.error('attempt.unexpected', errorFields(error)))
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  #now(): number {
    return this.#context.clock.monotonic();
  }
}

/** The aggregator of a federation runs in this process, everything else in a sandbox. */
function startAny(context: LinkContext, work: AttemptWork, laidOut: LaidOut): Promise<Running> {
  const { federation } = work;
  return federation?.role === 'aggregator'
    ? startAggregation(context, work, federation)
    : start(context, work, laidOut);
}

function keyOf({ job, attempt }: AttemptId): string {
  return `${job} ${attempt}`;
}

/** A pack that the custodian holds but that does not open will not open at another agent either. */
function isOwnFault(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'bad-pack';
}
