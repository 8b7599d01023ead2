import type { AgentId, JobId } from '@ringfence/base';
import type { Refusal } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';
import { HEARTBEAT_MS, LEASE_TTL_MS } from '../../apps/control-plane/src/jobs/clock-terms.ts';
import {
  EMPTY_MACHINE,
  resumeUpload,
  stepMachine,
  type AttemptId,
  type MachineCommand,
  type MachineEvent,
  type MachineState,
  type MachineStep,
} from '../../apps/agent/src/attempt/attempt-machine.ts';
import { AttemptEffects } from './attempt-effects.ts';
import type { Beat } from './beat.ts';
import {
  CONTROL_PLANE,
  CUSTODIAN,
  type AgentBody,
  type AgentParty,
  type Leased,
  type Report,
  type World,
} from './world.ts';

/**
 * An agent around its real attempt machine. Its monotonic clock begins anywhere and runs a little fast or slow; a kill takes its processes with it and leaves what its
 * journal has: which attempts it was leased, and which uploads had begun.
 */
export class SimulatedAgent implements AgentParty, AgentBody {
  readonly id: AgentId;
  readonly world: World;
  state: MachineState = EMPTY_MACHINE;
  boot = 0;
  up = true;
  /** It ends jobs at their longest run. */
  readonly honest: boolean;
  readonly effects: AttemptEffects;
  readonly #offset: number;
  readonly #rate: number;

  constructor(world: World, id: AgentId) {
    this.id = id;
    this.world = world;
    this.#offset = world.chance.below(1e9);
    this.#rate = 1 + (world.chance.below(401) - 200) / 1e6;
    this.honest = !world.chance.oneIn(3) && world.breakage !== 'renew-for-ever';
    this.effects = new AttemptEffects(this);
    this.#beat(world.chance.below(HEARTBEAT_MS));
  }

  /** Its own monotonic clock, in milliseconds. */
  get now(): number {
    return this.#offset + this.world.timeline.now * this.#rate;
  }

  leased({ job, attempt, echo }: Leased): void {
    const keep = this.world.watch.shapeOf(job)?.placement.onPartition === 'keep';
    const own = echo?.boot === this.boot;
    const deadline = echo === undefined || !own ? null : echo.sentAt + LEASE_TTL_MS;
    this.take({ type: 'leased', job, attempt, keep, deadline });
  }

  renewed(leases: readonly AttemptId[], { boot, sentAt }: Beat): void {
    if (boot !== this.boot) return;
    for (const { job, attempt } of leases)
      this.take({ type: 'renewed', job, attempt, deadline: sentAt + LEASE_TTL_MS });
  }

  stop({ job, attempt }: AttemptId, why: 'stopped' | 'interrupted'): void {
    this.take({ type: 'stop', job, attempt, graceMs: 10_000, why });
  }

  take(event: MachineEvent): void {
    if (this.up) this.#apply(stepMachine(this.state, event, this.now));
  }

  /** Everything that it ran is gone. */
  kill(): void {
    this.up = false;
    this.world.network.setDown(this.id, true);
    this.effects.killAll();
  }

  /** Comes back with its journal: begun uploads go on, of everything else it says that it was interrupted. */
  restart(): void {
    if (this.up) return;
    this.up = true;
    this.boot += 1;
    this.world.network.setDown(this.id, false);
    const { live, highest } = this.state;
    this.state = { highest, live: [] };
    for (const { job, attempt, phase } of live) {
      if (phase === 'collecting' || phase === 'committing') this.#apply(resumeUpload(this.state, { job, attempt }));
      else if (phase === 'ending') this.effects.repeatEnd({ job, attempt });
      else this.stoppedAs({ job, attempt }, 'interrupted');
    }
    this.#beat(this.world.chance.below(3_000));
  }

  report(id: AttemptId, said: Pick<Report, 'state' | 'outcome' | 'refusal'>): void {
    const { network } = this.world;
    const report: Report = { job: id.job, attempt: id.attempt, agent: this.id, ...said };
    network.sure(this.id, CONTROL_PLANE, () => this.world.controlPlane.report(report));
  }

  /** The signed word that nothing of an attempt runs, for both servers. */
  stoppedAs(id: AttemptId, outcome: Outcome, refusal?: Refusal): void {
    this.world.network.sure(this.id, CUSTODIAN, () => this.world.custodian.stopped(id.job, id.attempt, outcome));
    this.report(id, { state: 'stopped', outcome, refusal });
  }

  /** Runs `then` when so much of its own time has passed, if it is still the same process. */
  later(ms: number, then: () => void): void {
    const { boot } = this;
    this.world.timeline.after(Math.ceil(ms / this.#rate), () => {
      if (this.up && this.boot === boot) then();
    });
  }

  /** The attempt as its machine has it. */
  attempt({ job, attempt }: { job: JobId; attempt: number }): MachineState['live'][number] | undefined {
    return this.state.live.find((each) => each.job === job && each.attempt === attempt);
  }

  #apply({ state, commands }: MachineStep): void {
    this.state = state;
    for (const command of commands) this.#run(command);
  }

  #run(command: MachineCommand): void {
    if (command.type === 'wake') this.later(command.at - this.now, () => this.take({ type: 'time' }));
    else this.effects.run(command);
  }

  #beat(delay: number): void {
    this.later(delay, () => {
      const beat: Beat = { agent: this.id, boot: this.boot, sentAt: this.now };
      this.world.network.send(this.id, CONTROL_PLANE, () => this.world.controlPlane.heartbeat(beat));
      this.#beat(HEARTBEAT_MS);
    });
  }
}
