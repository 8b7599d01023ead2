// A process of its own that is everybody of a few cohorts but the control plane: a device that orders, machines that run what they are leased, a custodian.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newId, silentLog, systemRng, type AgentId, type CustodianId, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import {
  createControlLink,
  LinkJournal,
  type ControlLink,
  type ControlPlaneMessage,
  type LinkParty,
} from '@ringfence/client/control-link';
import { idOf } from '@ringfence/protocol';
import { sampleOffer } from '@ringfence/protocol/samples';
import { keyOf, type Member, type Organisation } from '../control-plane/organisation.ts';
import type { Target } from '../control-plane/control-plane-apart.ts';
import { signedWorkload, type SignedWorkload } from './signed-workload.ts';
import { UNITS_OF_QUEUE, WORKLOADS, workloadsOf, type WorkloadClass } from './workloads.ts';

/** What the parent asks: to sign all and bring machines up, then to run all; each ask is answered once. */
export type Ask =
  | {
      readonly kind: 'prepare';
      readonly target: Target;
      readonly folder: string;
      readonly cohorts: readonly Organisation[];
      readonly share: number;
    }
  | { readonly kind: 'run'; readonly within: number };

/** `admissions`: class and milliseconds from the order to the lease at its machine. `left`: what was not over in time. */
export type Answer = {
  readonly admissions: readonly (readonly [WorkloadClass, number])[];
  readonly left: number;
  readonly again: number;
};

const MOST_AT_ONCE = 8;

class Party {
  readonly link: ControlLink;
  readonly journal: LinkJournal;
  isUp = false;

  constructor(
    { id, seed, role }: Member<AgentId | CustodianId> & { readonly role: 'agent' | 'custodian' },
    { target, folder, of }: { readonly target: Target; readonly folder: string; readonly of: Organisation },
    onMessage: (message: ControlPlaneMessage) => void,
  ) {
    const party: LinkParty = { id, org: of.org, role };
    const controlPlane = idOf('controlPlane').parse(target.id);
    this.journal = LinkJournal.open({ folder: join(folder, id), party, controlPlane, clock: systemClock });
    this.link = createControlLink({
      url: target.url,
      controlPlane,
      root: target.root as never,
      party,
      key: keyOf(seed),
      journal: this.journal,
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
      trust: { caFile: target.caFile },
      onMessage: async (message) => {
        onMessage(message);
        return message.name === 'renew' ? undefined : { name: 'taken', body: {} };
      },
      heartbeat: () => ({ attempts: [] }),
      onState: (state) => {
        this.isUp = state === 'up';
      },
    });
    this.link.start();
  }
}

class Cohort {
  readonly admissions: [WorkloadClass, number][] = [];
  readonly parties: Party[] = [];
  again = 0;
  readonly #client: ControlPlaneClient;
  readonly #custodian: Party;
  readonly #workloads: readonly SignedWorkload[];
  readonly #ordered = new Map<JobId, { readonly class: WorkloadClass; readonly at: number }>();
  #over = 0;

  constructor(of: Organisation, { target, folder, share }: Extract<Ask, { kind: 'prepare' }>) {
    const [device] = of.devices;
    if (device === undefined) throw new RangeError('a cohort has a device');
    const identity = { device: device.id, key: keyOf(device.seed) };
    const { url, caFile } = target;
    this.#client = new ControlPlaneClient({ url, caFile, clock: systemClock, rng: systemRng, identity });
    this.#workloads = workloadsOf(share).map((workload) => signedWorkload(of, device, workload));
    const setup = { target, folder, of };
    this.#custodian = new Party({ ...of.custodian, role: 'custodian' }, setup, () => {});
    const agents = of.agents.map((agent) => {
      const party: Party = new Party({ ...agent, role: 'agent' }, setup, (message) => {
        if (message.name === 'lease') void this.#run(party, message.body);
      });
      return party;
    });
    this.parties.push(this.#custodian, ...agents);
  }

  /** How many workloads are not over, or of which a message is on its way. */
  get left(): number {
    const open = this.parties.reduce((sum, { journal }) => sum + journal.state.unacknowledged.length, 0);
    return this.#workloads.length - this.#over + open;
  }

  async offer(): Promise<void> {
    for (const { link } of this.parties.slice(1)) {
      const own = { offer: newId('offer', systemRng), site: newId('site', systemRng), epoch: 1 };
      const room = { cpuMilli: UNITS_OF_QUEUE * 1_000, memoryBytes: 64e9 };
      await link.send({ name: 'offer', body: sampleOffer({ ...own, ...room }) });
    }
  }

  /** Orders each workload when it is created, some at once; later when the control plane is slower than that. */
  async order(from: number): Promise<void> {
    const waiting = this.#workloads.values();
    const worker = async (): Promise<void> => {
      for (const workload of waiting) {
        const early = from + workload.atMs - performance.now();
        if (early > 0) await pause(early);
        await this.#submit(workload);
      }
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, worker));
  }

  async close(): Promise<void> {
    await this.#client.close();
    for (const { link, journal } of this.parties) {
      await link.stop();
      await journal.close();
    }
  }

  async #submit(workload: SignedWorkload): Promise<void> {
    this.#ordered.set(workload.job, { class: workload.class, at: performance.now() });
    for (;;) {
      try {
        await this.#client.submit(workload.submission);
        return;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'unavailable')) throw error;
        this.again += 1;
        await pause(1_000);
      }
    }
  }

  async #run({ link }: Party, { lease }: Extract<ControlPlaneMessage, { name: 'lease' }>['body']): Promise<void> {
    const { job, attempt } = JSON.parse(Buffer.from(lease.payload, 'base64').toString('utf8')) as {
      job: JobId;
      attempt: number;
    };
    const ordered = this.#ordered.get(job);
    if (ordered === undefined) return;
    this.admissions.push([ordered.class, performance.now() - ordered.at]);
    await link.send({ name: 'attempt-status', body: { job, attempt, state: 'running' } });
    await pause(WORKLOADS[ordered.class].runMs);
    await link.send({ name: 'attempt-status', body: { job, attempt, state: 'stopped', outcome: 'succeeded' } });
    await this.#custodian.link.send({ name: 'committed', body: { job, attempt } });
    this.#over += 1;
  }
}

let cohorts: Cohort[] = [];

async function take(ask: Ask): Promise<void> {
  if (ask.kind === 'prepare') {
    mkdirSync(ask.folder, { recursive: true });
    cohorts = ask.cohorts.map((of) => new Cohort(of, ask));
    await until(60_000, () => cohorts.every(({ parties }) => parties.every(({ isUp }) => isUp)));
    for (const cohort of cohorts) await cohort.offer();
    await until(60_000, () =>
      cohorts.every(({ parties }) => parties.every(({ journal }) => journal.state.unacknowledged.length === 0)),
    );
    return;
  }
  const from = performance.now();
  await Promise.all(cohorts.map((cohort) => cohort.order(from)));
  await until(from + ask.within - performance.now(), () => cohorts.every(({ left }) => left === 0));
  const left = cohorts.reduce((sum, cohort) => sum + cohort.left, 0);
  await Promise.all(cohorts.map((cohort) => cohort.close()));
  if (left > 0) console.error(`${left} workloads were not over in time`);
}

async function until(within: number, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + within; performance.now() < end && !condition();) await pause(20);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function answer(): Answer {
  return {
    admissions: cohorts.flatMap(({ admissions }) => admissions),
    left: cohorts.reduce((sum, cohort) => sum + cohort.left, 0),
    again: cohorts.reduce((sum, cohort) => sum + cohort.again, 0),
  };
}

process.on('message', (ask: Ask) => {
  void take(ask).then(() => process.send?.(answer()));
});
// A parent that died asks for nothing any more.
process.on('disconnect', () => process.exit());
