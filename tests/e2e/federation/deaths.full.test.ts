// Four organisations, one of them on another control plane, and a host that sums: one comes late, agents die in the middle of rounds, the aggregator as well.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@ringfence/base/until';
import type { FederationAnswer, RoundRow } from '@ringfence/protocol/payload';
import { agreeOn, startMembers, type Member, type Members } from '../../../scripts/house/agreed-organisations.ts';
import { said } from '../../../scripts/house/rented-machine.ts';
import { openSession, quietContext, type ArmedHouse } from '../../kill/armed-house.ts';

const PLAN = `name: tumours
purpose: research
model: {kind: softmax}
data: {file: rows.csv, label: diagnosis, classes: [benign, malignant]}
training: {batch: 32, rate: 0.5}
rounds: {count: 5000, longest: 30s}
secure_aggregation: {corrupt: 0.1, dropout: 0.25}
privacy: {unit: organisation, clip: 10}
`;
const ROWS = 'radius,texture,diagnosis\n1.5,2.5,benign\n3.5,4.5,malignant\n';
/** Of a client in a round: keys, then shares of them, then the masked vector. */
const IN_THE_MIDDLE = 'federation-after-step:3';
const WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 200;

const root = mkdtempSync(join(tmpdir(), 'ringfence-deaths-'));
let all: Members;
let contract: string;
/** Reads of the first organisation's custodian without a process for each. */
let watching: Pick<ArmedHouse, 'session' | 'close'>;

const memberAt = (at: number): Member => all.members[at] ?? assert.fail();
const [, ONE, TWO, , ELSEWHERE] = [0, 1, 2, 3, 4] as const;
const armed = ({ name }: Member): string => join(root, `armed-${name}`);

before(async () => {
  all = await startMembers({ root, others: 3, elsewhere: true });
  ({ contract } = await agreeOn(all, { plan: PLAN, rows: () => ROWS }));
  for (const member of [all.host, memberAt(ONE), memberAt(ELSEWHERE)]) {
    await member.house.process('agent-1').stop();
    await member.house.restart('agent-1', { RINGFENCE_FAULT: `@${armed(member)}` });
  }
  watching = await openSession(quietContext(memberAt(TWO).house));
});
after(async () => {
  await watching?.close();
  await all?.stop();
  rmSync(root, { recursive: true, force: true });
});

const shown = (): Promise<FederationAnswer> =>
  watching.session.custodian.federations.show(
    contract as Parameters<typeof watching.session.custodian.federations.show>[0],
  );

/** The newest round of which it is known what came out. */
async function newest(): Promise<RoundRow | undefined> {
  return (await shown()).rounds.find(({ report }) => report !== undefined);
}

/** Waits for a round after `after` that `holds`; resolves with it. */
async function roundWhere(after: number, holds: (report: NonNullable<RoundRow['report']>) => boolean, what: string) {
  let found: RoundRow | undefined;
  const look = async (): Promise<boolean> => {
    const rounds = (await shown()).rounds.filter(({ round }) => round > after);
    found = rounds.findLast(({ report }) => report !== undefined && holds(report));
    if (found === undefined) await pause(LOOK_EVERY_MS);
    return found !== undefined;
  };
  try {
    await until(look, what, WITHIN_MS);
  } catch (error) {
    console.error(JSON.stringify((await shown()).rounds.slice(0, 8)));
    throw error;
  }
  return found ?? assert.fail();
}

const summedBy =
  (count: number) =>
  ({ outcome, survivors }: NonNullable<RoundRow['report']>): boolean =>
    outcome === 'summed' && survivors.length === count;

const order = ({ house }: Member): Promise<unknown> => said(house, ['federation', 'start', contract, '--yes']);

/** Lets no round begin, arms the agent, and lets rounds begin again; resolves with the last round before once the agent has died. */
async function killInTheMiddle(member: Member): Promise<number> {
  const { house } = all.host;
  await said(house, ['federation', 'pause', contract]);
  let last = -1;
  const isQuiet = async (): Promise<boolean> => {
    const before = last;
    last = (await newest())?.round ?? 0;
    await pause(2_000);
    return before === last;
  };
  await until(isQuiet, 'a pause', WITHIN_MS);
  writeFileSync(armed(member), IN_THE_MIDDLE);
  await said(house, ['federation', 'resume', contract]);
  const exit = await member.house.process('agent-1').exited;
  assert.equal(exit.signal, 'SIGKILL');
  return last;
}

test('three begin, and one that comes late from another control plane is in a later sum', async () => {
  for (const member of all.members.slice(0, ELSEWHERE)) await order(member);
  const first = await roundWhere(0, summedBy(3), 'a sum of three');
  assert.equal(first.report?.missing.length, 1);
  await order(memberAt(ELSEWHERE));
  await roundWhere(first.round, summedBy(4), 'a sum of four');
});

test('of four one is killed in the middle of a round: that round is summed without it, and later ones with it', async () => {
  const member = memberAt(ELSEWHERE);
  const before = await killInTheMiddle(member);
  const next = await roundWhere(before, () => true, 'what came of the round');
  assert.equal(next.report?.outcome, 'summed', JSON.stringify(next));
  assert.equal(next.report.survivors.length, 3);
  await member.house.restart('agent-1');
  await roundWhere(next.round, summedBy(4), 'a sum of four again');
});

test('of three one is killed in the middle of a round: it is summed for nobody, and a later one is once it is back', async () => {
  await said(memberAt(ELSEWHERE).house, ['federation', 'stop', contract]);
  const from = (await newest())?.round ?? 0;
  await roundWhere(from, summedBy(3), 'a sum of three');
  const member = memberAt(ONE);
  const before = await killInTheMiddle(member);
  const next = await roundWhere(before, () => true, 'what came of the round');
  assert.equal(next.report?.outcome, 'aborted', JSON.stringify(next));
  assert.deepEqual(next.report.survivors, []);
  await member.house.restart('agent-1');
  const again = await roundWhere(next.round, summedBy(3), 'a sum of three again');
  assert.ok(again.round > next.round);
  const rounds = (await shown()).rounds.filter(({ round }) => round > before && round < again.round);
  assert.deepEqual(
    rounds.filter(({ report }) => report?.outcome === 'summed'),
    [],
    'nothing is summed of fewer than three organisations',
  );
});

for (const point of ['federation-after-roster', 'federation-after-unmask-request'])
  test(`the aggregator is killed at ${point}: its round is given up for good, and the next one is another`, async () => {
    const { host } = all;
    const from = (await newest())?.round ?? 0;
    writeFileSync(armed(host), point);
    assert.equal((await host.house.process('agent-1').exited).signal, 'SIGKILL');
    const begun = (await shown()).rounds[0] ?? assert.fail();
    assert.ok(begun.round > from && begun.report === undefined, 'it died amid a round');
    await host.house.restart('agent-1');
    const again = await roundWhere(begun.round, summedBy(3), 'a sum of three again');
    const [given] = (await shown()).rounds.filter(({ round }) => round === begun.round);
    assert.ok(given?.report !== undefined && given.report.survivors.length === 0, 'no sum came of it');
    // Whose shares for the unmasking had left counts the round as one that was summed.
    if (point === 'federation-after-roster') assert.equal(given.report.outcome, 'aborted');
    const { rounds } = await said<FederationAnswer>(host.house, ['federation', 'status', contract]);
    const own = rounds.filter(({ round }) => round >= begun.round);
    assert.ok(own.some(({ round }) => round === again.round));
    const [burned] = own.filter(({ round }) => round === begun.round);
    assert.ok(burned !== undefined && burned.report === undefined, 'whoever comes after it does not go on with it');
  });
