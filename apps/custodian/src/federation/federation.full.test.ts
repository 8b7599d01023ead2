import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, fromUtf8 } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { checkContract, readContractFile, signStatement } from '@ringfence/keyring';
import type { Decimal } from '@ringfence/protocol/federation';
import { addDataset, commitBody, depositTestJob, stoppedBy } from '../fixtures/agent.fixture.ts';
import { startRig } from '../fixtures/custodian-rig.fixture.ts';
import { FederationRig } from '../fixtures/federation.fixture.ts';
import { ruleOf } from '../fixtures/release.fixture.ts';
import { MOST_IN_A_ROW, pauseAfter } from './aborted-in-a-row.ts';
import { LEAVE_MS } from './ask-round.ts';

let house: FederationRig;

/** Moves the custodian's clock on. */
let ahead = 0;
const shifted = { ...clock, now: () => epochMs(clock.now() + ahead) };

before(async () => {
  house = await FederationRig.start(await startRig({ clock: shifted }));
});
after(() => house.close());

/** The reason and its checks. */
async function refusedGrant(job: Parameters<FederationRig['ask']>[0], agent = house.agent, attempt = 1) {
  const answer = await house.ask(job, attempt, agent);
  assert.equal(answer.result, 'refused');
  const { refusedGrant: told } = await house.organisation.client.job(job.body.job);
  return [told?.reason, told?.checks];
}

test('a client’s start that is what the contract says is granted with the contract’s file', async () => {
  await house.dataset('rows', '3');
  const contract = await house.contract('rows');
  const made = await house.deposit(contract, 'rows');
  assert.deepEqual(await refusedGrant(made, house.neighbour), ['federation', ['agent']], 'another agent of the site');
  const again = await house.deposit(contract, 'rows');
  const payload = await house.payloadOf(again);
  const file = readContractFile(Buffer.from(payload.contract ?? '', 'base64'));
  const { keyring } = house.rig.custodian.context.owner.claimed ?? assert.fail();
  const held = checkContract(file, { keyring, now: clock.now() });
  assert.ok(held.allow && held.contract.digest === contract);
  assert.deepEqual(payload.workload.federation, { contract, role: 'client' });
});

test('what is not as the contract says is not deposited, and not granted when it comes later', async () => {
  await house.dataset('edited', '3');
  await house.dataset('stranger', '3');
  const contract = await house.contract('edited');
  const incomplete = await house.contract('edited', {}, { unsigned: 1 });
  const narrow = await house.contract('edited', { encoding: { ringWidth: 8, scale: '100' as Decimal } });
  const refusal = (message: RegExp) => ({ code: 'bad-statement', message });
  const cases: readonly (readonly [string, Parameters<FederationRig['deposit']>[2], RegExp])[] = [
    ['edited', { work: { run: 'sh' } }, /says: run$/],
    ['edited', { work: { env: { A: 'b' } } }, /says: env$/],
    ['edited', { outputs: ['one', 'two'] }, /says: outputs$/],
    ['edited', { work: { federation: { contract, role: 'aggregator' } } }, /says: mounts, agent, outputs$/],
    ['edited', { work: { federation: { contract: incomplete, role: 'client' } } }, /says: signature-missing/],
    ['edited', { work: { federation: { contract: narrow, role: 'client' } } }, /says: encoding$/],
    ['edited', { work: { federation: { contract: 'f'.repeat(64) as typeof contract, role: 'client' } } }, /unknown$/],
    ['edited', { work: { federation: undefined } }, /says: type$/],
    ['stranger', {}, /says: dataset$/],
  ];
  for (const [dataset, edit, message] of cases)
    await assert.rejects(house.deposit(contract, dataset, edit), refusal(message), String(message));
  const plain = {
    mounts: ['edited'],
    purpose: 'research',
    work: { federation: { contract, role: 'client' } },
  } as const;
  await assert.rejects(
    depositTestJob(house.rig, house.organisation, { ...plain, mounts: [...plain.mounts] }),
    refusal(/says: type$/),
    'a train job that names a contract',
  );
  const made = await house.deposit(contract, 'edited');
  await addDataset(house.rig, house.organisation, { name: 'edited', text: 'x\n', purposes: ['research'] });
  assert.deepEqual(await refusedGrant(made), ['federation', ['dataset-version']], 'the data is another by now');
});

test('an aggregator’s start is that of the agent that the contract names, without data or code', async () => {
  const contract = await house.contract('rows', {}, { sums: true });
  const work = { federation: { contract, role: 'aggregator' } } as const;
  const options = { type: 'federate', purpose: 'research', work } as const;
  const made = await depositTestJob(house.rig, house.organisation, options);
  assert.deepEqual(await refusedGrant(made), ['federation', ['agent']]);
  const next = await depositTestJob(house.rig, house.organisation, options);
  assert.equal((await house.ask(next, 1, house.neighbour)).result, 'granted');
  const leave = await house.round(contract, next, 1, { agent: house.neighbour });
  assert.equal(leave.result, 'leave');
  assert.equal((await house.eventsOf('privacy-debited', contract)).length, 0, 'it has no data that a round would cost');
});

test('a round is debited once, however often and however much at once its attempt asks', async () => {
  await house.dataset('racing', '3');
  const contract = await house.contract('racing');
  const made = await house.running(contract, 'racing');
  const before = clock.now();
  const answers = await Promise.all(Array.from({ length: 64 }, () => house.round(contract, made, 1)));
  for (const answer of answers) {
    assert.ok(answer.result === 'leave', JSON.stringify(answer));
    assert.ok(answer.notAfter >= before + LEAVE_MS && answer.notAfter <= clock.now() + LEAVE_MS);
  }
  for (const type of ['privacy-debited', 'round-allowed'])
    assert.equal((await house.eventsOf(type, contract)).length, 1, type);
  const [account] = await house.organisation.client.privacy.status('racing');
  assert.deepEqual(
    account?.contracts.map((row) => [row.contract, row.rounds]),
    [[contract, 1]],
  );
  const [told] = account?.contracts ?? [];
  const { outsiders, member, others, epsilon } = told ?? {};
  assert.equal(epsilon, member, 'another client knows its own noise');
  assert.ok((outsiders ?? 9) < (member ?? 0) && (member ?? 9) < (others ?? 0), JSON.stringify(told));
});

test('two clients whose rows may be of the same people take part in no contract with noise, whenever that shows', async () => {
  const add = (name: string, text: string) =>
    addDataset(house.rig, house.organisation, { name, text, purposes: ['research'] });
  await house.dataset('left', '3');
  await add('right', 'rows of others\n');
  const contract = await house.contract('left', {}, { beside: 'right' });
  const made = await house.running(contract, 'left');
  assert.equal((await house.round(contract, made, 1)).result, 'leave');
  const waiting = await house.deposit(contract, 'left');
  await add('right', 'radius,texture,diagnosis\n1,2,left\n');
  const answer = await house.round(contract, made, 2);
  assert.ok(answer.result === 'refused');
  assert.deepEqual([answer.reason, answer.checks], ['contract', ['clients-overlap']]);
  assert.deepEqual(await refusedGrant(waiting), ['federation', ['clients-overlap']]);
  await assert.rejects(house.deposit(contract, 'left'), { code: 'bad-statement', message: /says: clients-overlap$/ });
});

test('rounds go up, and belong to the attempt that had them', async () => {
  await house.dataset('ordered', '3');
  const contract = await house.contract('ordered');
  const made = await house.running(contract, 'ordered');
  assert.equal((await house.round(contract, made, 3)).result, 'leave');
  const refused = async (...asked: Parameters<FederationRig['round']>): Promise<unknown> => {
    const answer = await house.round(...asked);
    return answer.result === 'refused' && [answer.reason, answer.checks];
  };
  assert.deepEqual(await refused(contract, made, 2), ['round-over', []]);
  const report = { outcome: 'summed', survivors: [house.agent.id], missing: [], examples: 9, metrics: { loss: 0.25 } };
  const told = { job: made.body.job, attempt: 1, round: 3, report } as const;
  const tell = (agent = house.agent) =>
    agent.client.federations.report(contract, { ...told, report: { ...report, outcome: 'summed' } });
  assert.deepEqual(await tell(house.neighbour), { stored: false }, 'it had no leave');
  assert.deepEqual([await tell(), await tell()], [{ stored: true }, { stored: false }]);
  await house.agent.client.stopped(stoppedBy(house.agent, made, 1, 'interrupted'));
  assert.deepEqual(await refused(contract, made, 4), ['not-current', []]);
  assert.equal((await house.ask(made, 2)).result, 'granted');
  assert.deepEqual(await refused(contract, made, 3, { attempt: 2 }), ['round-over', ['another-attempt']]);
  assert.deepEqual(await refused(contract, made, 4, { attempt: 1 }), ['not-current', []]);
  assert.deepEqual(await refused(contract, made, 4, { attempt: 2, agent: house.neighbour }), ['not-current', []]);
  assert.equal((await house.round(contract, made, 4, { attempt: 2 })).result, 'leave');
  const { jobs, rounds, given } = await house.organisation.client.federations.show(contract);
  assert.deepEqual(
    [given, rounds.map(({ round, report: kept }) => [round, kept?.metrics])],
    [
      2,
      [
        [4, undefined],
        [3, { loss: 0.25 }],
      ],
    ],
  );
  assert.deepEqual(
    jobs.map(({ job, role, dataset, state }) => [job, role, dataset, state]),
    [[made.body.job, 'client', 'ordered', 'open']],
  );
});

test('no round begins beyond what is left of the budget, while it is paused, after a withdrawal, and of another contract', async () => {
  await house.dataset('limited', '0.35');
  const contract = await house.contract('limited');
  const made = await house.running(contract, 'limited');
  const { client, org, device, sign } = house.organisation;
  const reason = async (round: number, of = contract): Promise<unknown> => {
    const answer = await house.round(of, made, round);
    return answer.result === 'refused' ? [answer.reason, ...answer.checks] : answer.result;
  };
  await client.federations.pause(contract);
  assert.deepEqual(await reason(1), ['paused']);
  assert.equal((await client.federations.resume(contract)).paused, false);
  let round = 1;
  while (round < 30 && (await reason(round)) === 'leave') {
    await house.tell(contract, made, round, 'summed');
    round += 1;
  }
  assert.ok(round > 2 && round < 30, `it has room for ${round - 1}`);
  assert.deepEqual(await reason(round), ['budget', 'budget']);
  const other = await house.contract('limited');
  assert.deepEqual(await reason(round, other), ['not-current']);
  assert.equal(await reason(round - 1), 'leave', 'what was debited is given again');
  const withdrawal = signStatement('contract-withdrawal', { v: 1, org, device, contract, at: clock.now() }, [sign]);
  await client.contracts.withdraw(contract, withdrawal);
  const answer = await house.round(contract, made, round - 1);
  assert.ok(answer.result === 'refused' && answer.reason === 'withdrawn');
  assert.deepEqual(answer.withdrawals, [withdrawal]);
  const late = await house.deposit(other, 'limited');
  const without = signStatement('contract-withdrawal', { v: 1, org, device, contract: other, at: clock.now() }, [sign]);
  await client.contracts.withdraw(other, without);
  assert.deepEqual(await refusedGrant(late), ['federation', ['withdrawn']]);
});

test('without noise nothing is debited, and each round is kept as a release that was not counted', async () => {
  await house.dataset('bare', '3');
  const contract = await house.contract('bare', {
    privacy: { unit: { kind: 'record' }, grade: 'enforced', clip: '1' as Decimal, noise: null, budget: null },
    rounds: { count: 2, longestMs: 60_000 },
  });
  const made = await house.running(contract, 'bare');
  for (const round of [1, 2]) assert.equal((await house.round(contract, made, round)).result, 'leave');
  assert.equal((await house.eventsOf('privacy-debited', contract)).length, 0);
  assert.equal((await house.eventsOf('privacy-uncounted', contract)).length, 2);
  for (const round of [1, 2]) await house.tell(contract, made, round, 'summed');
  const answer = await house.round(contract, made, 3);
  assert.ok(answer.result === 'refused' && answer.reason === 'done', 'both of its rounds ended with a sum');
});

test('an evaluation is a round like others: with leave, kept as a release, and one more than those of training', async () => {
  await house.dataset('tested', '3');
  const contract = await house.contract('tested', {
    privacy: { unit: { kind: 'record' }, grade: 'enforced', clip: '1' as Decimal, noise: null, budget: null },
    rounds: { count: 1, longestMs: 60_000 },
    evaluation: { every: 1, heldOut: '0.2' as Decimal },
  });
  const made = await house.running(contract, 'tested');
  for (const [round, task] of [
    [1, {}],
    [2, { task: 'evaluate' }],
  ] as const) {
    assert.equal((await house.round(contract, made, round)).result, 'leave');
    const report = { outcome: 'summed' as const, ...task, survivors: [], missing: [], metrics: { loss: 0.5 } };
    await house.agent.client.federations.report(contract, { job: made.body.job, attempt: 1, round, report });
  }
  const answer = await house.round(contract, made, 3);
  assert.ok(answer.result === 'refused' && answer.reason === 'done');
  assert.equal((await house.eventsOf('privacy-uncounted', contract)).length, 2);
  const { rounds } = await house.organisation.client.federations.show(contract);
  assert.deepEqual(
    rounds.map(({ report }) => report?.task),
    ['evaluate', undefined],
  );
});

test('the model comes home as a result of the data that its client mounted, and opens by that owner’s word alone', async () => {
  await house.dataset('guarded', '3', 'restricted');
  const contract = await house.contract('guarded');
  const made = await house.deposit(contract, 'guarded', { outputs: ['guarded-model'] });
  const { outputs } = await house.payloadOf(made);
  const { client, device } = house.organisation;
  const body = await commitBody(house.organisation, house.agent, made, { attempt: 1, outputs });
  assert.equal((await house.agent.client.commit(body)).result, 'committed');
  await assert.rejects(client.openArtifact('guarded-model'), { code: 'not-released' }, 'not by the contract');
  const { artifact } = (await client.artifacts()).find(({ name }) => name === 'guarded') ?? assert.fail();
  const rule = ruleOf(
    house.organisation,
    { device, sign: house.organisation.sign },
    {
      scope: { dataset: artifact },
      kinds: ['artifact'],
    },
  );
  await client.release.addRule(rule);
  assert.equal((await client.openArtifact('guarded-model')).artifact.sensitivity, 'restricted');
  const answer = await house.round(contract, made, 1);
  assert.ok(answer.result === 'refused' && answer.reason === 'not-current', 'its job is over');
  const others = await house.contract('guarded', { outputs: [house.outputOfOthers()] });
  await assert.rejects(house.deposit(others, 'guarded'), { code: 'bad-statement', message: /says: recipient$/ });
});

test('data that was made with a model of a federation, over any number of jobs, is debited to what the model was made of', async () => {
  await house.dataset('first', '3');
  const made = await house.deposit(await house.contract('first'), 'first', { outputs: ['first-model'] });
  const { outputs } = await house.payloadOf(made);
  const body = await commitBody(house.organisation, house.agent, made, { attempt: 1, outputs });
  assert.equal((await house.agent.client.commit(body)).result, 'committed');
  const on = { mounts: ['first-model'], outputs: ['drawn'], purpose: 'research' };
  const later = await depositTestJob(house.rig, house.organisation, on);
  assert.equal((await house.ask(later)).result, 'granted');
  const more = { name: 'made-up', text: 'made up\n', purposes: ['research'], derivedFrom: ['drawn'] };
  await addDataset(house.rig, house.organisation, more);
  const contract = await house.contract('made-up');
  const second = await house.running(contract, 'made-up');
  assert.equal((await house.round(contract, second, 1)).result, 'leave', 'the budget of the first data counts');
  const accountOf = async () => (await house.organisation.client.privacy.status('first'))[0] ?? assert.fail();
  const { contracts, family } = await accountOf();
  assert.deepEqual(
    contracts.map((row) => [row.contract, row.rounds]),
    [[contract, 1]],
  );
  assert.deepEqual(family, ['drawn', 'first-model', 'made-up', 'model']);
});

test('a contract’s file travels sealed alone, and its statement to the control plane says no more than a type', async () => {
  await house.dataset('hidden', '3');
  const contract = await house.contract('hidden');
  const made = await house.deposit(contract, 'hidden');
  const told = JSON.stringify([made.placement, fromUtf8(Buffer.from(made.job.payload, 'base64'))]);
  assert.ok(told.includes('"federate"'));
  for (const hidden of [contract, 'tumours', 'hidden', house.agent.id]) assert.ok(!told.includes(hidden), hidden);
});

test('an aggregator that aborts each round is slowed down and stopped before the budget is gone; a client that drops out once is not', async () => {
  await house.dataset('drained', '3');
  const contract = await house.contract('drained');
  const made = await house.running(contract, 'drained');
  const { client, device } = house.organisation;
  const answered = async (round: number): Promise<unknown> => {
    const answer = await house.round(contract, made, round);
    return answer.result === 'refused' ? [answer.reason, ...answer.checks] : answer.result;
  };
  const HELD_UP = ['paused', 'aborted-in-a-row'];
  for (const [round, outcome] of [
    [1, 'aborted'],
    [2, 'summed'],
  ] as const) {
    assert.equal(await answered(round), 'leave', 'the first retry is at once');
    await house.tell(contract, made, round, outcome);
  }
  let round = 2;
  // A sum makes up for what was before it. Of every other round from here on nothing is heard at all.
  const summed = round;
  for (let aborted = 1; aborted <= MOST_IN_A_ROW; aborted += 1) {
    round += 1;
    ahead += pauseAfter(aborted - 1);
    assert.equal(await answered(round), 'leave', `round ${round}`);
    if (aborted > 1 && aborted < MOST_IN_A_ROW) assert.deepEqual(await answered(round + 1), HELD_UP, `round ${round}`);
    if (aborted % 2 === 0) await house.tell(contract, made, round, 'aborted');
  }
  ahead += 10 * pauseAfter(MOST_IN_A_ROW);
  for (let again = 0; again < 3; again += 1) assert.deepEqual(await answered(round + 1), HELD_UP, 'it has stopped');
  const [account] = await client.privacy.status('drained');
  assert.equal(account?.contracts[0]?.rounds, summed + MOST_IN_A_ROW, 'what was refused cost nothing');
  const { paused, stopped } = await client.federations.show(contract);
  assert.deepEqual([paused, stopped], [true, true]);
  const resumed = await client.federations.resume(contract);
  assert.deepEqual([resumed.paused, resumed.stopped], [false, undefined]);
  for (const next of [1, 2]) assert.equal(await answered(round + next), 'leave', 'it begins anew');
  assert.deepEqual(await answered(round + 3), HELD_UP);
  await client.federations.resume(contract);
  assert.equal(await answered(round + 3), 'leave', 'nor does the rest of a pause outlive a word to go on');
  const said = (await house.eventsOf('federation-paused', contract)) as { paused: boolean; device?: string }[];
  assert.deepEqual(
    said.map((event) => [event.paused, event.device]),
    [
      [true, undefined],
      [false, device],
      [false, device],
    ],
  );
});
