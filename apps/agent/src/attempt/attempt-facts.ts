import type { DeviceId, JobId } from '@ringfence/base';
import type { Fact, JournalPoint, StoredFact } from '@ringfence/client/control-link';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { attemptNumber, idOf, sha256 } from '@ringfence/protocol';
import { journalPoint, REFUSALS, type Refusal } from '@ringfence/protocol/messages';
import type { EntryKind } from '@ringfence/protocol/payload';
import { OUTCOMES, type Outcome } from '@ringfence/protocol/statements';
import { z } from 'zod';
import type { AttemptId } from './attempt-machine.ts';

const run = { job: idOf('job'), attempt: attemptNumber };
const bodies = {
  /** Taken from the control plane; whatever becomes of it, no lower number of this job is taken again. */
  leased: z.strictObject(run),
  /** Never to be started; the control plane is told. */
  refused: z.strictObject({ ...run, refusal: z.enum(REFUSALS) }),
  /** The custodian granted it by this statement, and knows the journal up to this point. */
  granted: z.strictObject({ ...run, point: journalPoint, grant: sha256.exactOptional() }),
  /** A process of it may run from here on. */
  starting: z.strictObject(run),
  /** Its results are uploaded and the custodian may be asked to commit them. */
  committing: z.strictObject(run),
  /** Nothing of it runs any more and nothing of it will. */
  stopped: z.strictObject({ ...run, outcome: z.enum(OUTCOMES), refusal: z.enum(REFUSALS).optional() }),
  /** The custodian knows that it stopped; the control plane is told. */
  told: z.strictObject(run),
} as const;

const offered = z.strictObject({ epoch: z.int() });

type FactName = keyof typeof bodies;

/** What a journal says of an attempt. */
export interface AttemptRecord extends AttemptId {
  readonly started: boolean;
  readonly committing: boolean;
  readonly stopped: { readonly outcome: Outcome; readonly refusal: Refusal | undefined } | null;
}

/** Reads the facts of a link's journal, oldest first. */
export class AttemptHistory {
  readonly #highest = new Map<JobId, number>();
  readonly #open = new Map<string, AttemptRecord>();
  #custodianPoint: JournalPoint | undefined;
  #offerEpoch = 0;

  /** The highest attempt of each job that was ever leased. */
  get highest(): ReadonlyMap<JobId, number> {
    return this.#highest;
  }

  /** Attempts that are not over. */
  get open(): readonly AttemptRecord[] {
    return [...this.#open.values()];
  }

  /** How far the custodian knows the journal. */
  get custodianPoint(): JournalPoint | undefined {
    return this.#custodianPoint;
  }

  /** The highest number that an offer of this machine had. */
  get offerEpoch(): number {
    return this.#offerEpoch;
  }

  /** Takes the next fact; throws ZodError for one that this release did not write. */
  take(fact: StoredFact): void {
    const name = fact.name as FactName;
    if (fact.name === 'offered') this.#offerEpoch = offered.parse(fact.body).epoch;
    if (!Object.hasOwn(bodies, name)) return;
    const body = bodies[name].parse(fact.body);
    const key = `${body.job} ${body.attempt}`;
    const known = this.#open.get(key);
    if (name === 'leased' || name === 'refused')
      this.#highest.set(body.job, Math.max(body.attempt, this.#highest.get(body.job) ?? 0));
    if (name === 'leased') {
      const { job, attempt } = body;
      this.#open.set(key, { job, attempt, started: false, committing: false, stopped: null });
    }
    if (name === 'granted') this.#custodianPoint = bodies.granted.parse(fact.body).point;
    if (name === 'refused' || name === 'told') this.#open.delete(key);
    if (known === undefined) return;
    if (name === 'starting') this.#open.set(key, { ...known, started: true });
    if (name === 'committing') this.#open.set(key, { ...known, committing: true });
    if (name === 'stopped') {
      const { outcome, refusal } = bodies.stopped.parse(fact.body);
      this.#open.set(key, { ...known, stopped: { outcome, refusal } });
    }
  }
}

/** A lease was taken. */
export function leasedFact({ job, attempt }: AttemptId): Fact {
  return { name: 'leased', body: { job, attempt } };
}

/** A lease was refused for good. */
export function refusedFact({ job, attempt }: AttemptId, refusal: Refusal): Fact {
  return {
    name: 'refused',
    body: { job, attempt, refusal },
    queue: [{ name: 'attempt-status', body: { job, attempt, state: 'refused', refusal } }],
  };
}

/** The custodian granted an attempt by `grant`, which its log has to show, and knows the journal up to `point`. */
export function grantedFact({ job, attempt }: AttemptId, { seq, hash }: JournalPoint, grant: Envelope): Fact {
  return { name: 'granted', body: { job, attempt, point: { seq, hash }, grant: statementDigest(grant) } };
}

/** A process is about to be started. */
export function startingFact({ job, attempt }: AttemptId): Fact {
  return {
    name: 'starting',
    body: { job, attempt },
    queue: [{ name: 'attempt-status', body: { job, attempt, state: 'starting' } }],
  };
}

/** The custodian is about to be asked to commit. */
export function committingFact({ job, attempt }: AttemptId): Fact {
  return { name: 'committing', body: { job, attempt } };
}

/** Nothing runs any more. */
export function stoppedFact({ job, attempt }: AttemptId, outcome: Outcome, refusal?: Refusal): Fact {
  return { name: 'stopped', body: { job, attempt, outcome, ...(refusal === undefined ? {} : { refusal }) } };
}

/** A device was let into the sandbox. */
export function enteredFact({ job, attempt }: AttemptId, device: DeviceId, kind: EntryKind): Fact {
  return { name: 'entered', body: { job, attempt, device, kind } };
}

/** The custodian knows; now the control plane may place the job again. */
export function toldFact({ job, attempt }: AttemptId, outcome: Outcome, refusal?: Refusal): Fact {
  const report =
    refusal === undefined ? ({ state: 'stopped', outcome } as const) : ({ state: 'refused', refusal } as const);
  return {
    name: 'told',
    body: { job, attempt },
    queue: [{ name: 'attempt-status', body: { job, attempt, ...report } }],
  };
}
