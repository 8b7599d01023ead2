import type { AttemptId, MachineCommand } from '../../apps/agent/src/attempt/attempt-machine.ts';
import type { Outcome } from '@ringfence/protocol/statements';
import { CONTROL_PLANE, CUSTODIAN, type AgentBody } from './world.ts';

type Effect = Exclude<MachineCommand, { type: 'wake' }>;
const ASK_AGAIN_MS = 3_000;

/** A job's process on an agent, from its start to its last breath. */
interface Process extends AttemptId {
  readonly begun: number;
  /** Work that was done before, in checkpoints. */
  readonly from: number;
}

/** What an agent does when its machine says so; every effect answers with an event, after some time. */
export class AttemptEffects {
  readonly #agent: AgentBody;
  readonly #processes = new Map<string, Process>();
  /** How attempts that are ending ended, as the journal has it. */
  readonly #endings = new Map<string, Outcome>();

  constructor(agent: AgentBody) {
    this.#agent = agent;
  }

  run(command: Effect): void {
    const { chance, watch } = this.#agent.world;
    const id = { job: command.job, attempt: command.attempt };
    switch (command.type) {
      case 'admit':
        return this.#answer(chance.between(5, 100), () => this.#admit(id));
      case 'grant':
        return this.#ask(id, 'granting');
      case 'prepare':
        return this.#answer(chance.between(50, 4_000), () =>
          this.#agent.take(
            chance.oneIn(150) ? { type: 'failed', outcome: 'setup-failed', ...id } : { type: 'prepared', ...id },
          ),
        );
      case 'start':
        return this.#start(id);
      case 'collect':
        return this.#answer(chance.between(50, 2_000), () => this.#agent.take({ type: 'collected', ...id }));
      case 'commit':
        return this.#ask(id, 'committing');
      case 'kill':
        return this.#kill(id, command.graceMs);
      case 'end':
        watch.count(`ended ${command.outcome}`);
        this.#endings.set(keyOf(id), command.outcome);
        return this.#answer(chance.between(5, 200), () => this.#end(id, command.outcome));
      case 'refuse':
        watch.count(`refused ${command.refusal}`);
        this.#agent.report(id, { state: 'refused', refusal: command.refusal });
        return this.#answer(chance.between(1, 50), () => this.#agent.take({ type: 'ended', ...id }));
      case 'cancel':
        return;
      default:
        return command satisfies never;
    }
  }

  /** The machine is gone, and all processes with it. */
  killAll(): void {
    for (const process of this.#processes.values()) this.#agent.world.watch.exited(process);
    this.#processes.clear();
  }

  /** After a restart: what was about to be said is said. */
  repeatEnd(id: AttemptId): void {
    this.#agent.stoppedAs(id, this.#endings.get(keyOf(id)) ?? 'interrupted');
  }

  /** It does not believe that it has room, nor that it was chosen. */
  #admit(id: AttemptId): void {
    const { world, id: agent } = this.#agent;
    const attempt = this.#agent.attempt(id);
    if (attempt?.phase !== 'admitting') return;
    const judged = world.watch.admits(agent, id, this.#agent.state.live);
    if (judged === undefined) {
      this.#agent.report(id, { state: 'accepted' });
      this.#agent.take({ type: 'admitted', ...id });
    } else this.#agent.take({ type: 'refused', refusal: judged, ...id });
  }

  /** Asks the custodian until it answers or the attempt is past the question. */
  #ask(id: AttemptId, phase: 'granting' | 'committing'): void {
    const { world, id: agent } = this.#agent;
    const { job, attempt } = id;
    if (this.#agent.attempt(id)?.phase !== phase) return;
    const { boot } = this.#agent;
    world.network.send(agent, CUSTODIAN, () => {
      // A payload link's request ends with its connection: one that was given up does not arrive later.
      if (this.#agent.boot !== boot || this.#agent.attempt(id)?.phase !== phase) return;
      const { custodian } = world;
      const yes = phase === 'granting' ? custodian.grant(job, attempt, agent) : custodian.commit(job, attempt);
      world.network.send(CUSTODIAN, agent, () => this.#answered(id, phase, yes));
    });
    this.#answer(ASK_AGAIN_MS, () => this.#ask(id, phase));
  }

  #answered(id: AttemptId, phase: 'granting' | 'committing', yes: boolean): void {
    if (phase === 'committing')
      return this.#agent.take(yes ? { type: 'committed', ...id } : { type: 'failed', outcome: 'lease-lost', ...id });
    this.#agent.take(yes ? { type: 'granted', ...id } : { type: 'refused', refusal: 'grant-refused', ...id });
  }

  #start(id: AttemptId): void {
    const { world } = this.#agent;
    const { chance, watch, custodian } = world;
    const shape = watch.shapeOf(id.job);
    const work = watch.workOf(id.job);
    if (shape === undefined || work === undefined) return;
    const from = custodian.progress.get(id.job) ?? 0;
    const process: Process = { ...id, begun: world.timeline.now, from };
    this.#processes.set(keyOf(id), process);
    watch.started(this.#agent.id, id);
    this.#agent.report(id, { state: 'starting' });
    this.#answer(chance.between(5, 200), () => {
      if (this.#processes.get(keyOf(id)) !== process) return;
      this.#agent.report(id, { state: 'running' });
      this.#agent.take({ type: 'started', ...id });
    });
    // An agent that does not keep to the longest run is held to its lease.
    const most = this.#agent.honest ? shape.placement.maxDurationMs : Infinity;
    const left = Math.max(0, work - from);
    const fails = chance.oneIn(60);
    const ends = fails ? chance.below(Math.min(left, most) + 1) : Math.min(left, most);
    const outcome = fails ? 'failed' : left > most ? 'timed-out' : 'succeeded';
    this.#answer(ends, () => this.#exit(process, outcome));
    this.#checkpointLater(process);
  }

  #checkpointLater(process: Process): void {
    const { world, id: agent } = this.#agent;
    this.#answer(world.chance.between(20_000, 40_000), () => {
      if (this.#processes.get(keyOf(process)) !== process) return;
      const { job, attempt } = process;
      const done = process.from + world.timeline.now - process.begun;
      world.network.send(agent, CUSTODIAN, () => world.custodian.checkpoint(job, done));
      world.network.send(agent, CONTROL_PLANE, () => world.controlPlane.desk.checkpointed(job, attempt));
      this.#checkpointLater(process);
    });
  }

  /** SIGTERM now, SIGKILL when the grace is over. */
  #kill(id: AttemptId, graceMs: number): void {
    const process = this.#processes.get(keyOf(id));
    // A second one, with the end of a lease near, may leave less time than the first.
    if (process === undefined) return;
    this.#answer(this.#agent.world.chance.below(graceMs + 1), () => this.#exit(process, 'failed'));
  }

  #exit(process: Process, outcome: Outcome): void {
    if (this.#processes.get(keyOf(process)) !== process) return;
    this.#processes.delete(keyOf(process));
    this.#agent.world.watch.exited(process);
    this.#agent.take({ type: 'exited', job: process.job, attempt: process.attempt, outcome });
  }

  #end(id: AttemptId, outcome: Outcome): void {
    this.#agent.stoppedAs(id, outcome);
    this.#endings.delete(keyOf(id));
    this.#agent.take({ type: 'ended', ...id });
  }

  #answer(ms: number, then: () => void): void {
    this.#agent.later(ms, then);
  }
}

function keyOf({ job, attempt }: AttemptId): string {
  return `${job} ${attempt}`;
}
