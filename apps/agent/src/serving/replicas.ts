import type { JobId } from '@ringfence/base';
import { Replica, type ReplicaOptions } from './replica.ts';
import { ReplicaReporter, type KnownGateways, type ReporterOptions } from './replica-reporter.ts';

/** The replicas of one link that run on this machine. */
export class Replicas {
  readonly #options: ReporterOptions;
  readonly #reporter: ReplicaReporter;
  readonly #replicas = new Map<string, Replica>();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#reporter = new ReplicaReporter(options);
  }

  /** Tells the custodian of replicas that an earlier process had, which ended with it. */
  recover(): void {
    this.#reporter.recover();
  }

  /** A replica whose process has started. */
  begin(of: Omit<ReplicaOptions, 'reporter' | 'clock'>): Replica {
    const replica = new Replica({ ...of, reporter: this.#reporter, clock: this.#options.clock });
    this.#replicas.set(keyOf(of.id.job, of.id.attempt), replica);
    return replica;
  }

  /** The process of a replica has ended. */
  end(replica: Replica): void {
    this.#replicas.delete(keyOf(replica.id.job, replica.id.attempt));
    replica.gone();
  }

  find(job: JobId, attempt: number): Replica | undefined {
    return this.#replicas.get(keyOf(job, attempt));
  }

  /** Who may forward to a replica, as the custodian said last. */
  gatewaysOf({ id }: Replica): KnownGateways | undefined {
    return this.#reporter.gatewaysOf(id);
  }

  /** Asks the custodian now who may forward to a replica. */
  async askGateways({ id }: Replica): Promise<void> {
    await this.#reporter.refresh(id);
  }

  close(): void {
    this.#reporter.close();
  }
}

function keyOf(job: JobId, attempt: number): string {
  return `${job} ${attempt}`;
}
