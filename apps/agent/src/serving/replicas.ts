import type { JobId } from '@ringfence/base';
import { withCustodian } from '../attempt/with-custodian.ts';
import type { LinkContext } from '../link/link-context.ts';
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

/** The custodian may be away for this long before nobody is let in any more. */
const TELL_WITHIN_MS = 7 * 86_400_000;

/** The replicas of a link, whose custodian is told. */
export function openReplicas(context: Pick<LinkContext, 'custodian' | 'clock' | 'log'>, folder: string): Replicas {
  return new Replicas({
    ...context,
    folder,
    tell: (report, signal) =>
      withCustodian(context, { within: TELL_WITHIN_MS, signal }, (custodian) => custodian.reportReplica(report)),
  });
}
