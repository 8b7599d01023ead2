import type { AgentId, OfferId } from '@ringfence/base';
import type { BurstCommand } from '@ringfence/policy/burst';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { sendStop } from '../jobs/send-stop.ts';
import { liveAttempt } from '../jobs/live-attempt.ts';
import { enqueue, enqueueToCustodian } from '../links/outbox.ts';
import { raiseInventory } from '../placement/inventory.ts';
import type { Tx } from '../store/open-store.ts';
import { askedOf, closeOrders, openOrders, orderDeletion } from './deletion-orders.ts';
import type { OpenPool } from './open-pool.ts';
import { signDecision, type Because } from './sign-decision.ts';

/** How long an attempt that is to go on at home may take to end, its last checkpoint included. */
const MOVE_GRACE_MS = 120_000;
/** What a decision to give a machine back names at the most. */
const MOST_DIGESTS = 64;

/** A machine away from home. */
interface AwayMachine {
  readonly offer: OfferId;
  readonly agent: AgentId;
}

/** Carries out what a step of burst and return asks for, in the caller's transaction, before its state is saved: each command with a signed decision. */
export async function carryOut(
  context: ControlPlaneContext,
  tx: Tx,
  pool: OpenPool,
  { commands, because }: { readonly commands: readonly BurstCommand[]; readonly because: Because },
): Promise<void> {
  if (commands.length === 0) return;
  const desk = new Desk(context, tx, { pool, because, seq: pool.row.decisions });
  for (const command of commands) await desk.obey(command);
  await tx.updateTable('pool').set({ decisions: desk.seq }).where('org', '=', pool.org).execute();
}

class Desk {
  readonly #context: ControlPlaneContext;
  readonly #tx: Tx;
  readonly #pool: OpenPool;
  readonly #because: Because;
  seq: number;

  constructor(context: ControlPlaneContext, tx: Tx, of: { pool: OpenPool; because: Because; seq: number }) {
    this.#context = context;
    this.#tx = tx;
    this.#pool = of.pool;
    this.#because = of.because;
    this.seq = of.seq;
  }

  async obey(command: BurstCommand): Promise<void> {
    switch (command.type) {
      case 'open':
      case 'close':
        await this.#sign({ type: command.type });
        return this.#wake();
      case 'cordon':
        return this.#cordon(command.offer, true);
      case 'uncordon':
        return this.#cordon(command.offer, false);
      case 'move':
        return this.#move(command);
      case 'ask-deletion':
        return this.#askDeletion(await this.#machine(command.offer));
      case 'shred-keys':
        return this.#shredKeys(await this.#machine(command.offer));
      case 'release':
        return this.#release(await this.#machine(command.offer), command.deletion);
      default:
        return command satisfies never;
    }
  }

  async #sign(decision: Parameters<typeof signDecision>[3]['decision']): Promise<void> {
    this.seq += 1;
    await signDecision(this.#context, this.#tx, this.#pool, { seq: this.seq, decision, because: this.#because });
  }

  async #wake(): Promise<void> {
    await this.#context.changes.wake(this.#tx, 'place', this.#pool.org);
  }

  async #machine(offer: OfferId): Promise<AwayMachine> {
    return this.#tx
      .selectFrom('away_offer')
      .select(['offer', 'agent'])
      .where('offer', '=', offer)
      .executeTakeFirstOrThrow();
  }

  async #cordon(offer: OfferId, cordoned: boolean): Promise<void> {
    const machine = await this.#machine(offer);
    await this.#sign({ type: cordoned ? 'cordon' : 'uncordon', ...machine });
    await this.#mark(machine, cordoned);
  }

  async #mark({ agent }: AwayMachine, cordoned: boolean): Promise<void> {
    await this.#tx
      .updateTable('offer')
      .set((column) => ({ cordoned, row_version: column('row_version', '+', 1) }))
      .where('agent', '=', agent)
      .execute();
    if (cordoned) return;
    await raiseInventory(this.#tx, this.#pool.org);
    await this.#wake();
  }

  async #move({ job, attempt }: Extract<BurstCommand, { type: 'move' }>): Promise<void> {
    const live = await liveAttempt(this.#tx, job);
    const away = this.#pool.state.away.find((each) => each.job === job && each.attempt === attempt);
    // It ended meanwhile, or was given up.
    if (live?.attempt !== attempt || away === undefined) return;
    await this.#sign({ type: 'move', ...(await this.#machine(away.offer)), job, attempt });
    await sendStop(this.#context, this.#tx, { org: this.#pool.org, job, graceMs: MOVE_GRACE_MS }, 'drain');
  }

  async #askDeletion(machine: AwayMachine): Promise<void> {
    const { org } = this.#pool;
    await orderDeletion(this.#context, this.#tx, this.#pool, machine);
    for (const order of await openOrders(this.#tx, machine.offer)) {
      await this.#sign({ type: 'ask-deletion', ...machine, ...askedOf(order) });
      const body = askedOf(order);
      await enqueue(this.#context, this.#tx, { party: machine.agent, org }, { name: 'delete-data', body });
    }
  }

  async #shredKeys(machine: AwayMachine): Promise<void> {
    for (const order of await openOrders(this.#tx, machine.offer)) {
      await this.#sign({ type: 'shred-keys', ...machine, ...askedOf(order) });
      const body = { ...askedOf(order), agent: machine.agent };
      await enqueueToCustodian(this.#context, this.#tx, this.#pool.org, { name: 'shred-keys', body });
    }
  }

  async #release(machine: AwayMachine, deletion: 'signed' | 'missing'): Promise<void> {
    const orders = await openOrders(this.#tx, machine.offer);
    const deletions = orders.flatMap(({ deletion_digest: digest }) => digest ?? []).slice(0, MOST_DIGESTS);
    await this.#sign({ type: 'release', ...machine, deletion, deletions });
    await closeOrders(this.#tx, machine.offer);
    await this.#tx
      .updateTable('pool_attempt')
      .set({ given_back: true })
      .where('offer', '=', machine.offer)
      .where('away', '=', true)
      .where('given_back', '=', false)
      .execute();
    await this.#mark(machine, false);
  }
}
