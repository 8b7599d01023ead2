import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  epochMs,
  newId,
  seededRng,
  toBase64Url,
  type AgentId,
  type CustodianId,
  type DeviceId,
  type EpochMs,
  type OrgId,
  type Rng,
} from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { SealPublicKey } from '@ringfence/crypto/seal';
import { SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { DELEGATIONS, type KeyringChange } from '@ringfence/protocol/statements';
import { extendKeyring, foldKeyring, genesisStatement, nextStatement } from './chain/fold.ts';
import type { Keyring } from './chain/keyring.ts';
import { signStatement } from './statement.ts';

export const START = epochMs(1_800_000_000_000);
export const HOUR_MS = 3_600_000;

/** An organisation that grows by real, signed statements; every key of it is at hand. */
export class SampleOrganisation {
  readonly rng: Rng;
  readonly org: OrgId;
  readonly recovery: readonly SigningKey[];
  root: SigningKey;
  now: EpochMs = START;
  keyring: Keyring;
  readonly statements: Envelope[];

  constructor(seed: string, recovery = { threshold: 2, count: 3 }) {
    this.rng = seededRng(seed);
    this.org = newId('org', this.rng);
    this.root = this.key();
    this.recovery = Array.from({ length: recovery.count }, () => this.key());
    const keys = this.recovery.map(({ publicKey }) => publicKey);
    const change = {
      kind: 'genesis' as const,
      root: this.root.publicKey,
      recovery: { threshold: recovery.threshold, keys },
    };
    this.statements = [signStatement('keyring', genesisStatement(this.org, change, this.now), [this.root])];
    this.keyring = foldKeyring(this.statements);
  }

  key(): SigningKey {
    return SigningKey.generate(this.rng);
  }

  /** A TLS key is the same kind of point; only its type differs. */
  tls(): TlsPublicKey {
    return this.key().publicKey as unknown as TlsPublicKey;
  }

  seal(): SealPublicKey {
    return toBase64Url(this.rng.bytes(1216)) as SealPublicKey;
  }

  sign(change: KeyringChange, ...keys: readonly SigningKey[]): Envelope {
    return signStatement('keyring', nextStatement(this.keyring, change, this.now), keys);
  }

  add(change: KeyringChange, ...keys: readonly SigningKey[]): void {
    const envelope = this.sign(change, ...(keys.length === 0 ? [this.root] : keys));
    this.keyring = extendKeyring(this.keyring, envelope);
    this.statements.push(envelope);
  }

  addDevice(role?: 'officer'): { id: DeviceId; sign: SigningKey } {
    const id = newId('device', this.rng);
    const sign = this.key();
    this.add({ kind: 'add-device', device: id, sign: sign.publicKey, tls: this.tls() });
    if (role === 'officer') this.add({ kind: 'add-officer', device: id });
    return { id, sign };
  }

  addCustodian(delegatedFor = 1000 * HOUR_MS): { id: CustodianId; sign: SigningKey; enrolment: SigningKey } {
    const id = newId('custodian', this.rng);
    const sign = this.key();
    const enrolment = this.key();
    this.add({ kind: 'add-custodian', custodian: id, sign: sign.publicKey, tls: this.tls(), seal: this.seal() });
    this.delegate(id, enrolment, delegatedFor);
    return { id, sign, enrolment };
  }

  delegate(custodian: CustodianId, key: SigningKey, delegatedFor = 1000 * HOUR_MS): void {
    const notAfter = epochMs(this.now + delegatedFor);
    this.add({ kind: 'delegate', custodian, key: key.publicKey, may: [...DELEGATIONS], notAfter });
  }

  addAgent(
    by: SigningKey = this.root,
    allowProcess = false,
    jurisdictions: readonly string[] = ['DE'],
  ): { id: AgentId; sign: SigningKey } {
    const id = newId('agent', this.rng);
    const sign = this.key();
    const keys = { sign: sign.publicKey, tls: this.tls(), seal: this.seal() };
    const site = newId('site', this.rng);
    this.add(
      {
        kind: 'add-agent',
        agent: id,
        site,
        tier: 'private',
        ...keys,
        allowProcess,
        ...(jurisdictions.length === 0 ? {} : { jurisdictions: [...jurisdictions] }),
      },
      by,
    );
    return { id, sign };
  }
}

it('a sample organisation folds from its statements alone', () => {
  const sample = new SampleOrganisation('self');
  const { id } = sample.addDevice('officer');
  const agent = sample.addAgent(sample.addCustodian().enrolment);
  const again = foldKeyring(sample.statements, sample.root.publicKey);
  assert.deepEqual(again.head, sample.keyring.head);
  assert.ok(again.isOfficer(id) && again.agent(agent.id) !== undefined);
});
