import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemRng as rng, toBase64Url } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { sha256Hex, type Digest, type Envelope, type SigningKey } from '@ringfence/crypto/sign';
import { draftContract, signContract, signStatement } from '@ringfence/keyring';
import { SampleContract, samplePart, sampleTerms, type SamplePart } from '@ringfence/keyring/samples';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { addDataset, joinRig, randomDigest, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { addDevice, changeKeyring, type TestDevice } from '../fixtures/release.fixture.ts';
import { heldContract } from './held-contract.ts';

const others = new SampleContract('custodian', { clients: 2 });

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
let owner: TestDevice;
let engineer: TestDevice;
let part: SamplePart;
let statements: readonly Envelope[];

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
  owner = await addDevice(rig, organisation);
  engineer = await addDevice(rig, organisation, 'ml-engineer');
  await addDataset(rig, { ...organisation, client: owner.client }, { name: 'patients', text: 'x\n' });
  for (const { organisation: other } of others.parties)
    await changeKeyring(organisation, { kind: 'add-peer', org: other.org, root: other.root.publicKey });
  const offer = await organisation.client.contracts.offer({
    clients: [{ agent: agent.id, dataset: 'patients' }],
    aggregator: agent.id,
  });
  const [client] = offer.clients;
  assert.ok(client !== undefined && offer.aggregator !== undefined);
  assert.deepEqual(
    [client.dataset.owner, client.dataset.version, client.agent, client.org],
    [owner.device, 1, agent.id, organisation.org],
  );
  part = {
    party: { ...offer.party, name: 'Ours' },
    client: { ...client, dataset: { ...client.dataset, columns: ['radius', 'texture', 'diagnosis'] } },
    aggregator: offer.aggregator,
  };
  statements = offer.keyring;
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const keyringsOf = (): ContractFile['keyrings'] => [
  { org: organisation.org, statements: [...statements] },
  ...others.parties.map(({ organisation: { org, statements: theirs } }) => ({ org, statements: [...theirs] })),
];
/** A contract of three clients, ours among them, unsigned. */
const draft = (change: Partial<Contract> = {}, ours: SamplePart = part): ContractFile => {
  const terms = sampleTerms(samplePart(others.host), [ours, ...others.clients.map(samplePart)], {
    at: clock.now(),
    salt: toBase64Url(rng.bytes(32)),
    ...change,
  });
  return draftContract(terms, keyringsOf());
};
const digestOf = ({ contract }: ContractFile): Digest => sha256Hex(Buffer.from(contract.payload, 'base64'));
const signedBy = (file: ContractFile, ...keys: readonly SigningKey[]): ContractFile =>
  keys.reduce((signed, key) => signContract(signed, key), file);
const theirs = (): SigningKey[] => others.parties.map(({ device }) => device.sign);
const withdrawal = (
  contract: Digest,
  by: { org?: TestOrganisation['org']; device: TestDevice['device']; sign: SigningKey },
): Envelope =>
  signStatement(
    'contract-withdrawal',
    { v: 1, org: by.org ?? organisation.org, device: by.device, contract, at: clock.now() },
    [by.sign],
  );
const holds = async (contract: Digest) => {
  const { context } = rig.custodian;
  const claimed = context.owner.claimed ?? assert.fail();
  return context.store.withOrg(organisation.org, (tx) => heldContract(context, tx, claimed, contract));
};
const eventsOf = (type: string, contract: Digest) =>
  rig.custodian.context.store.withOrg(organisation.org, async (tx) => {
    const rows = await tx.selectFrom('event').select('body').where('type', '=', type).orderBy('seq').execute();
    const events = rows.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { event: object }).event);
    return events.filter((event) => 'contract' in event && event.contract === contract);
  });

test('a contract is kept with the first signature of ours, gains others in any order, and holds once all are there', async () => {
  const { contracts } = organisation.client;
  const file = draft();
  const contract = digestOf(file);
  await assert.rejects(contracts.keep(file), { code: 'bad-statement' }, 'a draft');
  await assert.rejects(
    contracts.keep(signedBy(file, ...theirs())),
    { code: 'bad-statement' },
    'signed by others alone',
  );
  const first = await contracts.keep(signedBy(file, organisation.sign));
  assert.equal(first.row.state, 'incomplete');
  assert.deepEqual(
    first.row.faults.filter(({ org }) => org === organisation.org),
    [{ code: 'owner-signature-missing', org: organisation.org }],
    'the organisation has signed, the owner of its data has not',
  );
  assert.deepEqual(await holds(contract), { allow: false, reasons: first.row.faults });
  await assert.rejects(engineer.client.contracts.keep(signedBy(file, organisation.sign)), { code: 'not-authorised' });
  const copies = [owner.sign, ...theirs()].map((key) => signedBy(file, organisation.sign, key));
  await Promise.all(copies.map((copy) => organisation.client.contracts.keep(copy)));
  const { row, file: kept } = await engineer.client.contracts.get(contract);
  assert.deepEqual([row.state, row.faults, kept.contract.signatures.length], ['held', [], 5]);
  assert.deepEqual(
    row.parties.map(({ signers }) => signers.length).toSorted((a, b) => a - b),
    [1, 1, 1, 2],
  );
  const held = await holds(contract);
  assert.ok(held.allow && held.contract.digest === contract && held.keyrings.size === 4);
  await contracts.keep(kept);
  const events = await eventsOf('contract-kept', contract);
  assert.equal(events.length, 5, 'one for each signature, and none for what was kept');
  assert.deepEqual(events.at(-1), {
    type: 'contract-kept',
    contract,
    signed: 4,
    parties: 4,
    device: organisation.device,
  });
});

test('many copies with other signatures at once lose none', async () => {
  const file = draft();
  const keys = theirs();
  const copies = Array.from({ length: 12 }, (_, at) =>
    signedBy(file, organisation.sign, keys[at % keys.length] ?? assert.fail()),
  );
  await Promise.all(copies.map((copy) => organisation.client.contracts.keep(copy)));
  const { file: kept } = await organisation.client.contracts.get(digestOf(file));
  assert.equal(kept.contract.signatures.length, 4);
});

test('what it says of our data has to be so, and of others what their keyrings say', async () => {
  const { contracts } = organisation.client;
  const ours = (change: Partial<SamplePart['client']['dataset']>): SamplePart => ({
    ...part,
    client: { ...part.client, dataset: { ...part.client.dataset, ...change } },
  });
  for (const change of [
    { manifest: randomDigest() },
    { version: 2 },
    { name: 'others' },
    { sensitivity: 'public' as const },
    { owner: engineer.device },
  ])
    await assert.rejects(
      contracts.keep(signedBy(draft({}, ours(change)), organisation.sign)),
      { code: 'conflict' },
      JSON.stringify(change),
    );
  const stranger = new SampleContract('strangers', { clients: 2 });
  const withStrangers = draftContract(
    sampleTerms(samplePart(stranger.host), [part, ...stranger.clients.map(samplePart)], { at: clock.now() }),
    keyringsOf(),
  );
  await assert.rejects(contracts.keep(signedBy(withStrangers, organisation.sign)), /not-a-peer/);
  const expired = draft({ notAfter: clock.now() });
  await assert.rejects(contracts.keep(signedBy(expired, organisation.sign)), /expired/);
  assert.deepEqual(await holds(randomDigest()), { allow: false, reasons: [{ code: 'unknown' }] });
});

test('whoever may takes us out, at once and for good; another party’s word ends it where the contract says so', async () => {
  const all = (file: ContractFile) => signedBy(file, organisation.sign, owner.sign, ...theirs());
  const { contracts } = organisation.client;
  const file = all(draft());
  const contract = digestOf(file);
  await contracts.keep(file);
  assert.ok((await holds(contract)).allow);
  await assert.rejects(contracts.withdraw(contract, withdrawal(contract, engineer)), /not-authorised/);
  await assert.rejects(contracts.withdraw(contract, withdrawal(randomDigest(), owner)), /: contract/);
  await assert.rejects(engineer.client.contracts.withdraw(contract, withdrawal(contract, owner)), {
    code: 'not-authorised',
  });
  const left = await owner.client.contracts.withdraw(contract, withdrawal(contract, owner));
  assert.deepEqual([left.row.state, left.row.withdrawals.length], ['withdrawn', 1]);
  assert.deepEqual(await holds(contract), {
    allow: false,
    reasons: [{ code: 'withdrawn', org: organisation.org }],
  });
  await contracts.withdraw(contract, withdrawal(contract, organisation));
  await contracts.keep(file);
  assert.equal((await contracts.get(contract)).row.state, 'withdrawn', 'signing again brings nobody back');
  assert.equal((await eventsOf('contract-withdrawn', contract)).length, 1);

  const [one] = others.clients;
  const theirWord = (digest: Digest) =>
    withdrawal(digest, {
      org: one?.organisation.org ?? assert.fail(),
      device: one?.device.id ?? assert.fail(),
      sign: one?.device.sign ?? assert.fail(),
    });
  for (const [change, state] of [
    [{ withdrawal: 'stop' }, 'withdrawn'],
    [{ withdrawal: 'go-on' }, 'withdrawn'],
  ] as const) {
    const another = all(draft(change));
    await contracts.keep(another);
    const { row } = await contracts.withdraw(digestOf(another), theirWord(digestOf(another)));
    assert.equal(row.state, state, 'of three clients the two that are left are too few');
  }
});

test('a device that leaves takes its signature along', async () => {
  const second = await addDevice(rig, organisation, 'owner');
  const file = signedBy(draft(), second.sign, owner.sign, ...theirs());
  const contract = digestOf(file);
  await organisation.client.contracts.keep(file);
  assert.ok((await holds(contract)).allow);
  await changeKeyring(organisation, { kind: 'remove', subject: second.device, reason: 'left' });
  assert.deepEqual(await holds(contract), {
    allow: false,
    reasons: [{ code: 'signature-missing', org: organisation.org }],
  });
  await organisation.client.contracts.keep(signedBy(file, organisation.sign));
  assert.ok((await holds(contract)).allow, 'another device signs');
  await changeKeyring(organisation, { kind: 'remove', subject: others.host.organisation.org, reason: 'left' });
  assert.deepEqual(await holds(contract), {
    allow: false,
    reasons: [{ code: 'not-a-peer', org: others.host.organisation.org }],
  });
});
