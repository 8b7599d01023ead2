import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLog, newId, noFault, silentLog, systemRng, type Clock, type EpochMs } from '@ringfence/base';
import { makeFolder, systemClock } from '@ringfence/base/platform';
import { LinkJournal } from '@ringfence/client/control-link';
import { RecordKey } from '@ringfence/crypto/record';
import type { Envelope } from '@ringfence/crypto/sign';
import { foldKeyring, signHead, type Keyring } from '@ringfence/keyring';
import { FederationHistory } from '../federation/federation-facts.ts';
import { Federations } from '../federation/federations.ts';
import { makeIdentity, type AgentIdentity } from '../identity/agent-identity.ts';
import { dialCustodian, type JoinedLink } from '../link/joined-link.ts';
import { KeyringCopy } from '../link/keyring-copy.ts';
import type { LinkContext } from '../link/link-context.ts';
import { NO_IMAGE_FLAGS } from '../oci/image-flags.ts';
import { openMachine, type Machine } from '../machine/machine.ts';
import { AgentMetrics } from '../metrics.ts';
import { openReplicas } from '../serving/open-replicas.ts';
import { AttemptFolder } from './attempt-folder.ts';
import { AttemptRunner } from './attempt-runner.ts';
import { serveCustodian, type CustodianWishes } from './custodian-double.fixture.ts';
import { leasedAs, type LeaseChange } from './lease-statements.fixture.ts';
import { keyringStatements } from './keyring-statements.fixture.ts';
import { IDS, KEYS, WORKLOAD } from './members.fixture.ts';

const [clock, rng] = [systemClock, systemRng];
type JobId = ReturnType<typeof newId<'job'>>;

/** An agent of a small organisation, its custodian a double behind a real payload link. */
export interface TestOrganisation {
  readonly runner: AttemptRunner;
  readonly facts: () => readonly string[];
  readonly log: string[];
  readonly requests: string[];
  readonly wishes: CustodianWishes;
  readonly machine: Machine;
  readonly context: LinkContext;
  /** Called when an attempt is over. */
  readonly onOver: (() => void)[];
  /** What an attempt wrote, its lines in order. */
  output(job: JobId, attempt?: number): readonly string[];
  /** Delivers a lease that ends in half a minute. */
  lease(change?: LeaseChange): Promise<{ job: JobId; deadline: number }>;
  settled(): Promise<void>;
}

const HONEST: CustodianWishes = {
  headAge: 0,
  grant: (body) => body,
  signer: KEYS.enrolment,
  refuse: false,
  evidence: [],
  unseen: 0,
  away: false,
  workload: (workload) => workload,
  signed: WORKLOAD,
};

/** Builds the organisation on this machine. */
export async function openOrganisation(
  t: TestContext,
  over: Partial<CustodianWishes> = {},
  agentClock: Clock = clock,
): Promise<TestOrganisation> {
  const links = emptyFolder(t);
  const key = RecordKey.generate(rng);
  const identity = await makeIdentity(links, key, { clock, rng });
  const statements = keyringStatements(publicKeys(identity));
  const keyring = foldKeyring(statements);
  const wishes: CustodianWishes = { ...HONEST, ...over };
  const head = (): Envelope => headOf(keyring, wishes.headAge);
  const requests: string[] = [];
  const lan = await serveCustodian(t, { requests, head, statements, wishes, seal: identity.seal.publicKey });
  const lines: string[] = [];
  const link = linkTo(lan);
  const machine = await thisMachine();
  const journal = openJournal(links);
  const custodian = dialCustodian({ route: link.route, outer: {}, identity: identity.link, clock });
  const facts = noteFacts(journal);
  const context: LinkContext = {
    link,
    identity,
    keyring: firstCopy(links, statements, { wishes, clock: agentClock }),
    custodian,
    locks: { cuts: () => false, suspended: new Set() },
    journal,
    record: (fact) => journal.fact(fact),
    custodianPoint: undefined,
    oneGrantAtATime: (run) => run(),
    replicas: openReplicas({ custodian, clock: agentClock, log: silentLog }, join(links, 'replicas')),
    federations: noFederations(links, key, agentClock),
    machine,
    metrics: new AgentMetrics(),
    clock: agentClock,
    rng,
    log: createLog({ role: 'agent', clock, level: 'debug', write: (line) => void lines.push(line) }),
    fault: noFault,
  };
  const onOver: (() => void)[] = [];
  const runner = new AttemptRunner(context, key, new Map(), () => onOver.forEach((call) => call()));
  t.after(async () => {
    await runner.close(2_000);
    context.replicas.close();
    custodian.close();
    await journal.close();
  });
  return {
    runner,
    facts: () => facts,
    log: lines,
    requests,
    wishes,
    machine,
    context,
    onOver,
    output: outputOf(machine),
    ...leasing(context, runner, { lines, wishes }),
  };
}

function noFederations(folder: string, key: RecordKey, agentClock: Clock): Federations {
  const history = new FederationHistory();
  return new Federations(folder, { history, key, clock: agentClock, rng, onAdmitted: () => {} });
}

function leasing(
  { clock: agentClock }: LinkContext,
  runner: AttemptRunner,
  { lines, wishes }: { lines: readonly string[]; wishes: CustodianWishes },
): Pick<TestOrganisation, 'lease' | 'settled'> {
  let mid = 0;
  return {
    async lease(change = {}) {
      const job = change.job ?? newId('job', rng);
      mid += 1;
      wishes.signed = change.workload ?? WORKLOAD;
      const terms = { keep: false, deadline: agentClock.monotonic() + 30_000, mid };
      await runner.lease({ job, attempt: change.attempt ?? 1 }, leasedAs(job, change), terms);
      return { job, deadline: terms.deadline };
    },
    async settled() {
      const deadline = clock.monotonic() + 20_000;
      while (runner.live > 0 && clock.monotonic() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
      if (runner.live > 0) throw new Error(`an attempt did not end:\n${lines.join('')}`);
    },
  };
}

/** What this agent was given when it joined: all but the statements that it is not to have seen. */
function firstCopy(
  folder: string,
  statements: readonly Envelope[],
  { wishes, clock: agentClock }: { wishes: CustodianWishes; clock: Clock },
): KeyringCopy {
  const seen = statements.slice(0, statements.length - wishes.unseen);
  const head = headOf(foldKeyring(seen), wishes.headAge);
  return KeyringCopy.create(folder, { statements: seen, head, root: KEYS.root.publicKey, clock: agentClock });
}

function headOf(keyring: Keyring, age: number): Envelope {
  const at = (clock.now() - age) as EpochMs;
  return signHead(keyring, { custodian: IDS.custodian, epoch: 1, at }, KEYS.enrolment);
}

function publicKeys({ sign, link, seal }: AgentIdentity): Parameters<typeof keyringStatements>[0] {
  return { sign: sign.publicKey, tls: link.key.publicKey, seal: seal.publicKey, allowProcess: true };
}

function outputOf({ state }: Machine): TestOrganisation['output'] {
  return (job, attempt = 1) =>
    readFileSync(new AttemptFolder(state, { job, attempt }).logPath, 'utf8')
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { text: string }).text);
}

function linkTo(lan: string): JoinedLink {
  return {
    v: 1,
    agent: IDS.agent,
    org: IDS.org,
    orgRoot: KEYS.root.publicKey,
    custodian: IDS.custodian,
    route: { tls: KEYS.custodianTls.publicKey, relay: null, lan },
    controlPlane: { id: IDS.controlPlane, url: 'https://127.0.0.1:1', root: KEYS.controlRoot.publicKey, caPin: null },
    offer: IDS.offer,
    allowProcess: true,
    lan: null,
    outer: {},
  };
}

function openJournal(folder: string): LinkJournal {
  const party = { id: IDS.agent, org: IDS.org, role: 'agent' } as const;
  return LinkJournal.open({ folder, party, controlPlane: IDS.controlPlane, clock });
}

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const links = join(folder, 'link');
  makeFolder(links);
  return links;
}

/** Reads along: which facts were written, in order. */
function noteFacts(journal: LinkJournal): readonly string[] {
  const facts: string[] = [];
  const append = journal.fact.bind(journal);
  journal.fact = async (fact, of) => {
    facts.push(fact.name);
    await append(fact, of);
  };
  return facts;
}

let opened: Promise<Machine> | undefined;

/** This machine, probed once for all tests of a file. */
function thisMachine(): Promise<Machine> {
  opened ??= probeMachine();
  return opened;
}

function probeMachine(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-machine-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // Jobs reach their folders through it.
  chmodSync(folder, 0o711);
  makeFolder(join(folder, 'state'));
  const options = {
    work: folder,
    cacheBytes: 1e6,
    logBytes: 1e6,
    logQuota: 1e9,
    jurisdictions: [],
    dataRoots: [],
    diskReserve: undefined,
    setupMirrors: [],
    egressAllowLocal: [],
    images: NO_IMAGE_FLAGS,
    firstJobUid: undefined,
  };
  return openMachine({ state: join(folder, 'state'), ...options, clock, rng });
}
