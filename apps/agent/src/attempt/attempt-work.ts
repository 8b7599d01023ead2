import type { MonotonicMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { Admission, LeasedStart } from '@ringfence/keyring';
import type { AttemptPhase, AttemptView, FailureEnvelope, GrantPayload } from '@ringfence/protocol/payload';
import type { Outcome } from '@ringfence/protocol/statements';
import type { AttemptMetrics } from '../job-metrics/attempt-metrics.ts';
import type { EgressCount } from '../egress/egress-count.ts';
import { AttemptLog } from '../logs/attempt-log.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { Place } from '../machine/capacity.ts';
import type { Running, SandboxExit, SandboxLevel } from '../sandbox/index.ts';
import type { Replica } from '../serving/replica.ts';
import { AttemptFolder } from './attempt-folder.ts';
import type { AttemptId } from './attempt-machine.ts';
import { forgetSecrets, type JobSecrets } from './job-secrets.ts';

/** A lease as it arrived. */
export interface Leased {
  readonly start: LeasedStart;
  readonly controlPlaneKeys: Envelope;
  readonly at: MonotonicMs;
  /** The highest attempt of the job that was taken before this one. */
  readonly highestBefore: number;
}

/** One attempt at work: what its steps leave for the ones that follow. */
export class AttemptWork {
  readonly id: AttemptId;
  readonly leased: Leased;
  readonly kept: AttemptFolder;
  /** Ends whatever step is under way. */
  readonly cancelling = new AbortController();
  admission: Admission | undefined;
  level: SandboxLevel | undefined;
  place: Place | undefined;
  /** Without its secrets. */
  payload: Omit<GrantPayload, 'secrets'> | undefined;
  secrets: JobSecrets = new Map();
  /** Folder of the running attempt, outside the state folder. */
  folder: string | undefined;
  log: AttemptLog | undefined;
  metrics: AttemptMetrics | undefined;
  /** What it did with its way out. */
  egress: EgressCount | undefined;
  running: Running | undefined;
  /** Of a `serve` job that runs. */
  replica: Replica | undefined;
  /** Gives back the image that it runs in. */
  releaseImage: () => void = () => {};
  /** The step that is under way; it never rejects. */
  stepping: Promise<void> | undefined;
  /** Asked to end before it ran: milliseconds of grace. */
  killed: number | undefined;
  exit: SandboxExit | undefined;
  failure: FailureEnvelope | undefined;
  view: AttemptView | undefined;

  constructor(state: string, id: AttemptId, leased: Leased) {
    this.id = { job: id.job, attempt: id.attempt };
    this.leased = leased;
    this.kept = new AttemptFolder(state, id);
  }

  /** Opens log and view once it is known whose attempt it is. */
  open({ machine, clock, link }: LinkContext): void {
    const { admission, level } = this;
    if (admission === undefined || level === undefined) throw new TypeError('only an admitted attempt is opened');
    this.kept.make();
    this.log = new AttemptLog(this.kept.logPath, {
      limit: machine.logBytes,
      take: (bytes) => machine.logQuota.take(this.kept, bytes),
      clock,
    });
    this.view = {
      job: this.id.job,
      attempt: this.id.attempt,
      phase: 'leased',
      isolation: level,
      limits: machine.capabilities.limits.driver,
      startedAt: null,
      endedAt: null,
      outcome: null,
      failure: null,
      logBytes: 0,
      peakMemoryBytes: null,
      cpuMs: null,
    };
    const { device } = admission.job.body;
    this.kept.write({ v: 1, org: link.org, device, sensitivity: admission.label.body.sensitivity, view: this.view });
  }

  /** What grows while it runs, as its owner sees it. */
  get used(): Pick<AttemptView, 'logBytes' | 'egress' | 'readiness'> {
    const egress = this.egress?.use;
    const readiness = this.replica?.readiness;
    return {
      logBytes: this.log?.bytes ?? this.view?.logBytes ?? 0,
      ...(egress === undefined ? {} : { egress }),
      ...(readiness === undefined ? {} : { readiness }),
    };
  }

  /** Shows the next phase to whoever asks. */
  enter(phase: AttemptPhase, more: Partial<AttemptView> = {}): void {
    if (this.view === undefined) return;
    this.view = { ...this.view, ...more, ...this.used, phase };
  }

  /** The attempt is over: closes the log and writes down how it ended. */
  close({ clock, machine }: LinkContext, outcome: Outcome): void {
    this.log?.close();
    this.metrics?.close();
    forgetSecrets(this.secrets);
    this.enter('ended', {
      endedAt: clock.now(),
      outcome,
      failure: this.failure ?? null,
      peakMemoryBytes: this.exit?.peakMemoryBytes ?? null,
      cpuMs: this.exit?.cpuMs === null || this.exit === undefined ? null : Math.floor(this.exit.cpuMs),
    });
    const about = this.kept.about;
    if (about !== undefined && this.view !== undefined) this.kept.write({ ...about, view: this.view });
    machine.logQuota.over(this.kept);
  }
}
