import type { AgentId, MonotonicMs, OrgId } from '@ringfence/base';
import type { RenewedLease } from '@ringfence/client/control-link';
import type { MessageBody } from '@ringfence/protocol/messages';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { noteConduct } from './note-conduct.ts';

/** An agent ends what has no lease when the lease is over; so much longer nobody takes. */
const OUTLIVED_AFTER_MS = 2 * (LEASE_TTL_MS + LEASE_GRACE_MS);

/** Agents that go on naming attempts in their heartbeats for which they have no lease any more. */
export class OutlivedLeases {
  readonly #context: ControlPlaneContext;
  readonly #since = new Map<AgentId, ReadonlyMap<string, MonotonicMs>>();

  constructor(context: ControlPlaneContext) {
    this.#context = context;
  }

  /** Compares what a heartbeat names with what was renewed for it; avoids the agent's offer when that differs for too long. */
  async look(
    { org, agent }: { readonly org: OrgId; readonly agent: AgentId },
    named: MessageBody<'heartbeat'>['attempts'],
    renewed: readonly RenewedLease[],
  ): Promise<void> {
    const now = this.#context.clock.monotonic();
    const { since, outlived } = outlivedSince(this.#since.get(agent), { named, renewed, now });
    if (since.size === 0 || outlived) this.#since.delete(agent);
    else this.#since.set(agent, since);
    if (outlived)
      await this.#context.changes.run(org, (tx) =>
        noteConduct(this.#context, tx, { org, agent }, { kind: 'outlived-lease' }),
      );
  }
}

/** Since when an agent has named which attempts without a lease, and whether one of them for longer than any end takes. */
export function outlivedSince(
  before: ReadonlyMap<string, MonotonicMs> | undefined,
  {
    named,
    renewed,
    now,
  }: {
    readonly named: readonly Pick<RenewedLease, 'job' | 'attempt'>[];
    readonly renewed: readonly Pick<RenewedLease, 'job' | 'attempt'>[];
    readonly now: MonotonicMs;
  },
): { readonly since: ReadonlyMap<string, MonotonicMs>; readonly outlived: boolean } {
  const held = new Set(renewed.map(keyOf));
  const without = named.map(keyOf).filter((key) => !held.has(key));
  const since = new Map(without.map((key) => [key, before?.get(key) ?? now]));
  return { since, outlived: [...since.values()].some((at) => now - at >= OUTLIVED_AFTER_MS) };
}

function keyOf({ job, attempt }: Pick<RenewedLease, 'job' | 'attempt'>): string {
  return `${job} ${attempt}`;
}
