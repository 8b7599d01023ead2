import { existsSync } from 'node:fs';
import type { Clock, MonotonicMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { Admission, LeasedStart } from '@ringfence/keyring';
import type { AttemptPhase, AttemptView, FailureEnvelope, GrantPayload } from '@ringfence/protocol/payload';
import type { Outcome } from '@ringfence/protocol/statements';
import type { AttemptMetrics } from '../job-metrics/attempt-metrics.ts';
import type { EgressCount } from '../egress/egress-count.ts';
import type { GrantedFederation } from '../federation/granted-federation.ts';
import type { PackedFiles } from '../failure/packed-files.ts';
import type { JobIdentities } from '../job-identity/job-identities.ts';
import { AttemptLog } from '../logs/attempt-log.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { Machine } from '../machine/machine.ts';
import { attemptRoom, closeToJobs } from '../machine/work-folder.ts';
import type { Place } from '../machine/capacity.ts';
import type { Running, SandboxExit, SandboxLevel } from '../sandbox/index.ts';
import type { Replica } from '../serving/replica.ts';
import { forgetUpload, type UploadNote } from '../outputs/upload-note.ts';
import { AttemptFolder } from './attempt-folder.ts';
import type { AttemptId } from './attempt-machine.ts';
import { forgetSecrets, type JobSecrets } from './job-secrets.ts';

/** A lease as it arrived. */
export interface ArrivedLease {
  readonly start: LeasedStart;
  readonly controlPlaneKeys: Envelope;
  readonly at: MonotonicMs;
}

/** A lease that this process took. */
export interface Leased extends ArrivedLease {
  /** The highest attempt of the job that was taken before this one. */
  readonly highestBefore: number;
  /** When it ends by the monotonic clock, as far as it was renewed; 0 once the attempt is over. */
  readonly end: () => number;
}

/** One attempt at work: what its steps leave for the ones that follow. */
export class AttemptWork {
  readonly id: AttemptId;
  readonly #leased: Leased | undefined;
  readonly kept: AttemptFolder;
  /** Ends whatever step is under way. */
  readonly cancelling = new AbortController();
  admission: Admission | undefined;
  level: SandboxLevel | undefined;
  place: Place | undefined;
  /** Without its secrets. */
  payload: Omit<GrantPayload, 'secrets'> | undefined;
  secrets: JobSecrets = new Map();
  /** Of a `federate` job. */
  federation: GrantedFederation | undefined;
  /** Folder of the running attempt, outside the state folder. */
  folder: string | undefined;
  /** Of its code, before any of it ran. */
  packed: PackedFiles = new Map();
  log: AttemptLog | undefined;
  metrics: AttemptMetrics | undefined;
  /** What it did with its way out. */
  egress: EgressCount | undefined;
  running: Running | undefined;
  /** Tokens by which it shows which job it is, where its file asks for some. */
  identities: JobIdentities | undefined;
  /** How far the upload of its results is. */
  upload: UploadNote | undefined;
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

  constructor(state: string, id: AttemptId, leased?: Leased) {
    this.id = { job: id.job, attempt: id.attempt };
    this.#leased = leased;
    this.kept = new AttemptFolder(state, id);
  }

  /** Not of one that an earlier process began. */
  get leased(): Leased {
    if (this.#leased === undefined) throw new TypeError('only an attempt that was leased by this process is started');
    return this.#leased;
  }

  /** Takes up an attempt whose results an earlier process began to upload. False when what it left is not there. */
  reopen({ machine, clock }: LinkContext, upload: UploadNote): boolean {
    const folder = attemptRoom(machine.folders, this.id);
    const { about } = this.kept;
    if (about === undefined || !existsSync(folder)) return false;
    // From here on the job's host user may be another job's.
    closeToJobs(folder);
    this.folder = folder;
    this.upload = upload;
    this.view = about.view;
    this.#openLog(machine, clock);
    return true;
  }

  #openLog({ logBytes, logQuota }: Machine, clock: Clock): void {
    logQuota.began(this.kept);
    const take = (bytes: number): boolean => logQuota.take(this.kept, bytes);
    this.log = new AttemptLog(this.kept.logPath, { limit: logBytes, take, clock });
  }

  /** Opens log and view once it is known whose attempt it is. */
  open({ machine, clock, link }: LinkContext): void {
    const { admission, level } = this;
    if (admission === undefined || level === undefined) throw new TypeError('only an admitted attempt is opened');
    this.kept.make();
    this.#openLog(machine, clock);
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

  /** What the job took in all, once it has ended. */
  get spent(): Pick<AttemptView, 'peakMemoryBytes' | 'cpuMs'> {
    const { exit, view } = this;
    if (exit === undefined) return { peakMemoryBytes: view?.peakMemoryBytes ?? null, cpuMs: view?.cpuMs ?? null };
    return { peakMemoryBytes: exit.peakMemoryBytes, cpuMs: exit.cpuMs === null ? null : Math.floor(exit.cpuMs) };
  }

  /** Writes down how it stands, for a next process. */
  save(): void {
    const about = this.kept.about;
    if (about !== undefined && this.view !== undefined) this.kept.write({ ...about, view: this.view });
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
    this.identities?.close();
    forgetSecrets(this.secrets);
    this.enter('ended', {
      endedAt: clock.now(),
      outcome,
      failure: this.failure ?? null,
      ...this.spent,
    });
    this.save();
    forgetUpload(this.kept);
    machine.logQuota.over(this.kept);
  }
}
