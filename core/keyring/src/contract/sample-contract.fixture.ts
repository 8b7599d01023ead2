import assert from 'node:assert/strict';
import { it } from 'node:test';
import { epochMs, newId, toBase64Url, type AgentId, type DeviceId } from '@ringfence/base';
import { sha256Hex, type Digest, type SigningKey } from '@ringfence/crypto/sign';
import type { ContractFile, Decimal } from '@ringfence/protocol/federation';
import type { Contract, ContractAggregator, ContractClient, ContractParty } from '@ringfence/protocol/statements';
import { HOUR_MS, SampleOrganisation, START } from '../sample-organisation.fixture.ts';
import { checkContract } from './check-contract.ts';
import { draftContract, signContract } from './contract-file.ts';

const COLUMNS = ['radius', 'texture', 'diagnosis'];
const decimal = (text: string): Decimal => text as Decimal;

/** An organisation of a sample contract: who signs for it, and its agents with their keys. */
export interface SampleParty {
  readonly organisation: SampleOrganisation;
  readonly device: { readonly id: DeviceId; readonly sign: SigningKey };
  readonly agents: readonly { readonly id: AgentId; readonly sign: SigningKey }[];
}

/**
 * A contract of `clients` organisations with one dataset each, and of a further one whose agent adds up; all are each other's peers. Its agents' signing keys are at hand,
 * so that roles can be played.
 */
export class SampleContract {
  readonly clients: readonly SampleParty[];
  readonly host: SampleParty;
  readonly terms: Contract;

  /** `terms` changes what is signed. */
  constructor(seed: string, { clients = 3, terms = {} }: { clients?: number; terms?: Partial<Contract> } = {}) {
    const party = (name: string): SampleParty => {
      const organisation = new SampleOrganisation(`${seed}/${name}`);
      const device = organisation.addDevice('officer');
      return { organisation, device, agents: [organisation.addAgent(organisation.addCustodian().enrolment)] };
    };
    this.clients = Array.from({ length: clients }, (_, at) => party(`client ${at}`));
    this.host = party('host');
    for (const { organisation } of this.parties)
      for (const { organisation: other } of this.parties)
        if (other !== organisation) organisation.add({ kind: 'add-peer', org: other.org, root: other.root.publicKey });
    this.terms = sampleTerms(samplePart(this.host), this.clients.map(samplePart), {
      at: this.host.organisation.now,
      ...terms,
    });
  }

  /** Clients first, the aggregator's organisation last. */
  get parties(): readonly SampleParty[] {
    return [...this.clients, this.host];
  }

  /** The contract signed by these parties, or by all; `terms` in place of its own. */
  file(signers: readonly SampleParty[] = this.parties, terms: Partial<Contract> = {}): ContractFile {
    const keyrings = this.parties.map(({ organisation }) => ({
      org: organisation.org,
      statements: [...organisation.statements],
    }));
    const draft = draftContract({ ...this.terms, ...terms }, keyrings);
    return signers.reduce((file, { device }) => signContract(file, device.sign), draft);
  }

  /** The digest of a file's contract. */
  digest(file = this.file()): Digest {
    return sha256Hex(Buffer.from(file.contract.payload, 'base64'));
  }
}

/** What an organisation brings into a contract. */
export interface SamplePart {
  readonly party: ContractParty;
  readonly client: ContractClient;
  readonly aggregator: ContractAggregator;
}

/** What a sample organisation could bring, by its first agent. */
export function samplePart({ organisation, device, agents: [first] }: SampleParty): SamplePart {
  const { org, keyring, rng } = organisation;
  const { seq, digest } = keyring.head;
  const { id: agent, site, sign, tls } = keyring.agent((first ?? assert.fail()).id) ?? assert.fail();
  const named = { org, agent, site, sign, tls };
  return {
    party: { org, name: `Organisation ${org.slice(-4)}`, root: keyring.root, keyring: { seq, digest } },
    aggregator: { ...named, relay: { url: 'https://relay.example', caPin: null }, lan: null },
    client: {
      ...named,
      dataset: {
        artifact: newId('artifact', rng),
        name: 'patients',
        version: 1,
        manifest: sha256Hex(rng.bytes(32)),
        sensitivity: 'confidential',
        owner: device.id,
        columns: [...COLUMNS],
      },
    },
  };
}

/** A contract by which these train a softmax regression on two columns for the host to add up. */
export function sampleTerms(
  host: Pick<SamplePart, 'party' | 'aggregator'>,
  clients: readonly Pick<SamplePart, 'party' | 'client'>[],
  change: Partial<Contract> = {},
): Contract {
  const at = change.at ?? START;
  const features = COLUMNS.slice(0, 2).map((column) => ({ column, subtract: decimal('0'), divide: decimal('1') }));
  return {
    v: 1,
    name: 'tumours',
    salt: toBase64Url(Buffer.from(sha256Hex(Buffer.from(host.party.org)), 'hex')),
    purpose: 'research',
    parties: [...clients.map(({ party }) => party), host.party],
    clients: clients.map(({ client }) => client),
    aggregator: host.aggregator,
    code: {
      kind: 'embedded',
      model: { kind: 'softmax', inputs: 2, classes: 2 },
      data: { file: 'rows.csv', features, label: 'diagnosis', classes: ['benign', 'malignant'] },
      training: { epochs: 1, batchSize: 32, learningRate: decimal('0.1') },
    },
    strategy: { kind: 'fedavg', rate: decimal('1'), momentum: decimal('0') },
    rounds: { count: 10, longestMs: 60_000 },
    minOrganisations: 3,
    secureAggregation: { corrupt: decimal('0.1'), dropout: decimal('0.1') },
    encoding: { ringWidth: 20, scale: decimal('100') },
    privacy: {
      unit: { kind: 'record' },
      grade: 'enforced',
      clip: decimal('1'),
      noise: { multiplier: decimal('2'), honestMin: 3, sampleRate: decimal('0.05') },
      budget: { epsilon: decimal('3'), delta: decimal('0.00001') },
    },
    outputs: [{ what: 'model', artifact: 'tumour-model', recipients: clients.map(({ party: { org } }) => org) }],
    withdrawal: 'stop',
    notAfter: epochMs(at + 1_000 * HOUR_MS),
    ...change,
    at,
  };
}

it('a sample contract holds for each of its parties', () => {
  const sample = new SampleContract('self');
  const file = sample.file();
  for (const { organisation } of sample.parties) {
    const decision = checkContract(file, { keyring: organisation.keyring, now: sample.host.organisation.now });
    assert.ok(decision.allow, JSON.stringify(decision));
    assert.equal(decision.contract.digest, sample.digest(file));
  }
});
