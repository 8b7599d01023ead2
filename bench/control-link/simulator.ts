// A process of its own that is many agents: each with its key, its journal and its own control link over TLS.
import { join } from 'node:path';
import { newId, silentLog, systemRng, type AgentId, type OrgId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import {
  createControlLink,
  LinkJournal,
  type ControlLink,
  type DurablePartyMessage,
  type LinkParty,
} from '@ringfence/client/control-link';
import { idOf } from '@ringfence/protocol';
import { sampleOffer } from '@ringfence/protocol/samples';
import { keyOf, type Member } from '../control-plane/organisation.ts';
import type { Target } from '../control-plane/control-plane-apart.ts';

/** What the parent asks for; each is answered once, by {@link Answer}. */
export type Ask =
  | { readonly kind: 'dial'; readonly setup: Setup }
  | { readonly kind: 'talk'; readonly perSecond: number; readonly seconds: number }
  | { readonly kind: 'offer'; readonly cpuMilli: number }
  | { readonly kind: 'up'; readonly within: number }
  | { readonly kind: 'settle'; readonly within: number }
  | { readonly kind: 'stop' };

/** Who to be, and how fast to dial. */
export type Setup = {
  readonly target: Target;
  readonly folder: string;
  readonly agents: readonly (Member<AgentId> & { readonly org: OrgId })[];
  readonly perSecond: number;
};

/** `upAt`: milliseconds since the epoch at which each link last came up. `open`: messages that nobody acknowledged. */
export type Answer = {
  readonly up: number;
  readonly upAt: readonly number[];
  readonly sent: number;
  readonly open: number;
  readonly ackMs: readonly number[];
  readonly renewMs: readonly number[];
};

class Simulated {
  readonly link: ControlLink;
  readonly id: AgentId;
  upAt = 0;
  sent = 0;
  readonly #journal: LinkJournal;
  readonly #site = newId('site', systemRng);
  readonly #offer = newId('offer', systemRng);
  readonly #waiting = new Map<number, number>();
  #epoch = 0;

  constructor({ target, folder }: Setup, agent: Setup['agents'][number], samples: Samples) {
    this.id = agent.id;
    const party: LinkParty = { id: agent.id, org: agent.org, role: 'agent' };
    const controlPlane = idOf('controlPlane').parse(target.id);
    this.#journal = LinkJournal.open({ folder: join(folder, agent.id), party, controlPlane, clock: systemClock });
    this.#watchAcknowledgements(samples);
    this.link = createControlLink({
      url: target.url,
      controlPlane,
      root: target.root as never,
      party,
      key: keyOf(agent.seed),
      journal: this.#journal,
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
      trust: { caFile: target.caFile },
      onMessage: async (message, { sentAt }) => {
        if (message.name === 'renew' && sentAt !== undefined) samples.renewMs.push(systemClock.monotonic() - sentAt);
        return undefined;
      },
      heartbeat: () => ({ attempts: [] }),
      onState: (state) => {
        this.upAt = state === 'up' ? Date.now() : 0;
      },
    });
  }

  get open(): number {
    return this.#journal.state.unacknowledged.length;
  }

  async send(message: DurablePartyMessage): Promise<void> {
    const from = performance.now();
    this.sent += 1;
    const mid = await this.link.send(message);
    if (this.#journal.state.acknowledged < mid) this.#waiting.set(mid, from);
  }

  /** One signed message that pays for itself; of an attempt that the control plane never leased, so that nothing else follows. */
  status(): Promise<void> {
    return this.send({
      name: 'attempt-status',
      body: { job: newId('job', systemRng), attempt: 1, state: 'running' },
    });
  }

  /** Its offer, in place of the one before; `cpuMilli` tells them apart. */
  offer(cpuMilli: number): Promise<void> {
    this.#epoch += 1;
    const own = { offer: this.#offer, site: this.#site, epoch: this.#epoch, cpuMilli };
    return this.send({ name: 'offer', body: sampleOffer(own) });
  }

  async stop(): Promise<void> {
    await this.link.stop();
    await this.#journal.close();
  }

  /** Every frame that crosses goes through the journal, acknowledgements too. */
  #watchAcknowledgements(samples: Samples): void {
    const journal = this.#journal;
    const crossed = journal.crossed.bind(journal);
    journal.crossed = (...frame) => {
      crossed(...frame);
      for (const [mid, from] of this.#waiting) {
        if (mid > journal.state.acknowledged) break;
        this.#waiting.delete(mid);
        samples.ackMs.push(performance.now() - from);
      }
    };
  }
}

const MOST_DIALLING = 24;
const DIAL_WITHIN = 5_000;

type Samples = { ackMs: number[]; renewMs: number[] };

const samples: Samples = { ackMs: [], renewMs: [] };
const fleet: Simulated[] = [];

async function take(ask: Ask): Promise<void> {
  switch (ask.kind) {
    case 'dial':
      return dial(ask.setup);
    case 'talk':
      return talk(ask.perSecond, ask.seconds);
    case 'offer':
      await Promise.all(fleet.map((agent) => agent.offer(ask.cpuMilli)));
      return;
    case 'up':
      return until(ask.within, () => fleet.every((agent) => agent.upAt > 0));
    case 'settle':
      return until(ask.within, () => fleet.every((agent) => agent.open === 0));
    case 'stop':
      await Promise.all(fleet.map((agent) => agent.stop()));
      return;
  }
}

async function dial(setup: Setup): Promise<void> {
  const from = performance.now();
  for (const [index, agent] of setup.agents.entries()) {
    const early = from + (index / setup.perSecond) * 1_000 - performance.now();
    if (early > 0) await pause(early);
    // The first dial of a fleet is no storm: that is what the restart measures.
    await until(DIAL_WITHIN, () => fleet.filter(({ upAt }) => upAt === 0).length < MOST_DIALLING);
    const simulated = new Simulated(setup, agent, samples);
    fleet.push(simulated);
    simulated.link.start();
  }
}

/** At an even pace, whatever the answers take: a slow control plane is not asked less. */
async function talk(perSecond: number, seconds: number): Promise<void> {
  samples.ackMs = [];
  samples.renewMs = [];
  const count = perSecond * seconds;
  const from = performance.now();
  const sending: Promise<void>[] = [];
  for (let message = 0; message < count; message += 1) {
    const early = from + (message / perSecond) * 1_000 - performance.now();
    if (early > 1) await pause(early);
    const agent = fleet[message % fleet.length];
    if (agent !== undefined) sending.push(agent.status());
  }
  await Promise.all(sending);
}

async function until(within: number, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + within; performance.now() < end && !condition();) await pause(50);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function answer(): Answer {
  return {
    up: fleet.filter((agent) => agent.upAt > 0).length,
    upAt: fleet.map((agent) => agent.upAt),
    sent: fleet.reduce((sum, agent) => sum + agent.sent, 0),
    open: fleet.reduce((sum, agent) => sum + agent.open, 0),
    ...samples,
  };
}

process.on('message', (ask: Ask) => {
  void take(ask).then(() => process.send?.(answer()));
});
// A parent that died asks for nothing any more.
process.on('disconnect', () => process.exit());
