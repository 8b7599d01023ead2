import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { epochMs, seededRng, silentLog, systemRng as rng, type AgentId, type Clock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  servePayload,
  type LinkIdentity,
  type PayloadAgent,
  type PayloadListener,
  type Route,
} from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { RecordKey } from '@ringfence/crypto/record';
import { checkContract } from '@ringfence/keyring';
import { SampleContract } from '@ringfence/keyring/samples';
import type { Decimal } from '@ringfence/protocol/federation';
import type { RoundAnswer, RoundReport } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { AggregatorRole } from './aggregator/aggregator-role.ts';
import type { AggregatorRoleParts } from './aggregator/aggregator-role-parts.ts';
import { CheckpointFile } from './aggregator/checkpoint.ts';
import { ClientRole, type ClientRoleEnd, type ClientRoleParts } from './client/client-role.ts';
import type { JobUpdate } from './job-socket/read-update.ts';
import { termsOf, type FederationTerms } from './round/federation-terms.ts';
import { AggregatorLine } from './transport/aggregator-line.ts';
import { FederationDesk } from './transport/federation-desk.ts';

export const decimal = (text: string): Decimal => text as Decimal;

/** Terms of a small federation without noise. */
export const PLAIN: Partial<Contract> = {
  rounds: { count: 3, longestMs: 20_000 },
  encoding: { ringWidth: 24, scale: decimal('1000') },
  privacy: {
    unit: { kind: 'organisation' },
    grade: 'enforced',
    clip: decimal('10'),
    noise: null,
    budget: null,
  },
};

/** What a client's house in a test does otherwise. */
export type ClientChange = Partial<ClientRoleParts>;

/** A client of a test's federation. */
export interface TestClient {
  readonly agent: AgentId;
  readonly member: number;
  readonly link: LinkIdentity;
  readonly reports: (readonly [round: number, report: RoundReport])[];
  readonly leaves: number[];
  readonly said: string[];
  /** What it stored: survives its process. */
  sequence: number;
  /** Runs its part until it ends; `change` replaces what it works with. */
  run(signal?: AbortSignal, change?: ClientChange): Promise<ClientRoleEnd>;
}

/** Organisations with real payload links between their agents, in one process. */
export class TestFederation {
  readonly sample: SampleContract;
  readonly terms: FederationTerms;
  readonly clients: readonly TestClient[];
  readonly said: string[] = [];
  readonly transcripts: string[] = [];
  readonly folder: string;
  readonly desk: FederationDesk;
  readonly listener: PayloadListener;
  readonly clock: Clock;
  readonly host: LinkIdentity;
  routes: readonly Route[] = [];
  readonly #key = RecordKey.generate(rng);
  readonly #t: TestContext;

  private constructor(
    t: TestContext,
    parts: { sample: SampleContract; terms: FederationTerms; host: LinkIdentity; links: readonly LinkIdentity[] },
  ) {
    this.#t = t;
    this.sample = parts.sample;
    this.terms = parts.terms;
    this.host = parts.host;
    // The sample's wall clock stands at its signing.
    const offset = parts.sample.host.organisation.now - systemClock.now();
    this.clock = {
      now: () => epochMs(systemClock.now() + offset),
      monotonic: () => systemClock.monotonic(),
      after: (delay, run) => systemClock.after(delay, run),
    };
    this.folder = mkdtempSync(join(tmpdir(), 'federation-'));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.desk = new FederationDesk({ clock: systemClock, rng, onChanged: () => this.listener.recheck() });
    this.listener = servePayload({
      server: linkHttpServer((request, response) => this.desk.handle(request, response)),
      identity: parts.host,
      admit: (peer) =>
        this.desk.admits(peer)
          ? { allow: true, peer: { kind: 'known', id: 'peer' } }
          : { allow: false, reasons: ['no-member'] },
      clock: systemClock,
      rng,
    });
    t.after(() => this.listener.close(0));
    this.clients = parts.links.map((link, member) => this.#client(link, member));
  }

  /** A federation of `clients` organisations by these terms, listening on the loopback interface. */
  static async open(
    t: TestContext,
    { clients = 3, terms = PLAIN }: { clients?: number; terms?: Partial<Contract> } = {},
  ): Promise<TestFederation> {
    const sample = new SampleContract(`federation ${clients}`, { clients, terms });
    const { keyring, now } = sample.host.organisation;
    const held = checkContract(sample.file(), { keyring, now });
    assert.ok(held.allow, JSON.stringify(held));
    const plain = termsOf(held);
    const identity = (): Promise<LinkIdentity> =>
      createLinkIdentity({ key: TlsKey.generate(rng), clock: systemClock, rng });
    const [host, ...links] = await Promise.all(Array.from({ length: clients + 1 }, identity));
    // The sample draws TLS keys that nobody holds.
    const named = plain.contract.clients.map((client, at) => ({
      ...client,
      tls: links[at]?.key.publicKey ?? client.tls,
    }));
    const federation = new TestFederation(t, {
      sample,
      terms: { ...plain, contract: { ...plain.contract, clients: named } },
      host: host ?? assert.fail(),
      links,
    });
    const lan = await federation.listener.listenLan({ host: '127.0.0.1', port: 0 });
    federation.routes = [{ kind: 'lan', ...lan }];
    return federation;
  }

  /** The checkpoint of the aggregator: survives its process. */
  get checkpoint(): CheckpointFile {
    return new CheckpointFile(join(this.folder, 'aggregator'), { contract: this.terms.digest, key: this.#key, rng });
  }

  /** A process of the aggregator. */
  aggregator(change: Partial<AggregatorRoleParts> = {}): AggregatorRole {
    const { terms, desk, clock, said, transcripts, checkpoint } = this;
    return new AggregatorRole({
      terms,
      identity: this.sample.host.agents[0]?.sign ?? assert.fail(),
      desk,
      checkpoint,
      leave: (round) => Promise.resolve({ result: 'leave', round, notAfter: epochMs(clock.now() + 600_000) } as const),
      report: () => {},
      summed: (_, transcript) => Promise.resolve(void transcripts.push(transcript)),
      say: (line) => void said.push(line),
      fault: () => {},
      clock,
      rng,
      log: silentLog,
      ...change,
    });
  }

  /** What client `member` learns in a round: the same each time. */
  static update(member: number, parameters: number): JobUpdate {
    const numbers = seededRng(`update ${member}`).bytes(parameters);
    return {
      examples: 100 * (member + 1),
      metrics: { loss: 1 / (member + 1) },
      values: Float32Array.from({ length: parameters }, (_, at) => ((numbers[at] ?? 0) - 128) / 128),
    };
  }

  /** A payload link to the aggregator of whoever holds `link`. */
  dial(link: LinkIdentity): PayloadAgent {
    const agent = payloadAgent({
      routes: this.routes,
      identity: link,
      expect: expectKeys(this.host.key.publicKey),
      clock: systemClock,
    });
    this.#t.after(() => agent.destroy());
    return agent;
  }

  #client(link: LinkIdentity, member: number): TestClient {
    const { terms, clock } = this;
    const { agents } = this.sample.clients[member] ?? assert.fail();
    const identity = agents[0]?.sign ?? assert.fail();
    const client: TestClient = {
      agent: terms.contract.clients[member]?.agent ?? assert.fail(),
      member,
      link,
      reports: [],
      leaves: [],
      said: [],
      sequence: -1,
      run: (signal = new AbortController().signal, change = {}) => {
        const agent = this.dial(link);
        const role = new ClientRole({
          terms,
          member,
          identity,
          line: (of) =>
            AggregatorLine.begin(
              { agent, contract: terms.digest, clock: systemClock, log: silentLog, patience: 20_000 },
              of,
            ),
          leave: (round) => {
            client.leaves.push(round);
            const notAfter = epochMs(clock.now() + 600_000);
            return Promise.resolve<RoundAnswer>({ result: 'leave', round, notAfter });
          },
          report: (round, report) => void client.reports.push([round, report]),
          train: () => Promise.resolve(TestFederation.update(member, terms.parameters)),
          sequence: () => client.sequence,
          burn: (sequence) => {
            client.sequence = Math.max(client.sequence, sequence);
            return Promise.resolve();
          },
          say: (line) => void client.said.push(line),
          clock,
          rng,
          log: silentLog,
          ...change,
        });
        return role.run(signal).finally(() => agent.destroy());
      },
    };
    return client;
  }
}

/** The model after `rounds` rounds of the same updates of these clients, started from zeros. */
export function expectedModel(parameters: number, members: readonly number[], rounds: number): number[] {
  const updates = members.map((member) => TestFederation.update(member, parameters).values);
  return Array.from(
    { length: parameters },
    (_, at) => (rounds * updates.reduce((sum, update) => sum + (update[at] ?? 0), 0)) / members.length,
  );
}

/** Whether a model is this one but for what quantisation takes. */
export function assertNear(model: Float32Array | undefined, expected: readonly number[]): void {
  assert.equal(model?.length, expected.length);
  for (const [at, value] of expected.entries())
    assert.ok(Math.abs((model?.[at] ?? Number.NaN) - value) < 0.02, `${at}: ${model?.[at]} for ${value}`);
}
