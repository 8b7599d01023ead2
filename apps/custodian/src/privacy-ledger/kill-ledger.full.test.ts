import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { CustodianProcess } from '../fixtures/custodian-process.fixture.ts';
import { FederationRig } from '../fixtures/federation.fixture.ts';
import { accountOf } from '../fixtures/privacy.fixture.ts';

/** Kills the custodian by SIGKILL at each step of giving leave for a round, starts it again, and has the agent ask again. */
const custodian = new CustodianProcess();
let house: FederationRig;
before(async () => {
  await custodian.start();
  // Of a process, nothing but its links is reached.
  house = await FederationRig.start(custodian as unknown as CustodianRig);
});
after(async () => {
  await custodian.remove();
  await house.controlPlane.close();
});

async function restart(fault?: string): Promise<void> {
  await custodian.stop();
  await custodian.start(fault);
  for (const member of [house.organisation, house.agent]) {
    member.client.close();
    Object.assign(member, { client: await custodian.client(member.tls) });
  }
}

test('a round that got leave is debited whatever the kill cut off, and asking again debits nothing twice', async () => {
  await house.dataset('rows', '3');
  const contract = await house.contract('rows');
  const made = await house.running(contract, 'rows');
  const rounds = async () => (await accountOf(house.organisation, 'rows')).contracts[0]?.rounds ?? 0;
  const points = ['debit-before-commit', 'debit-after-commit', 'debit-after-mark'] as const;
  for (const [before, point] of points.entries()) {
    await restart(point);
    await assert.rejects(house.round(contract, made, before + 1), `the custodian died at ${point}`);
    await custodian.ended();
    await restart();
    assert.equal(await rounds(), point === 'debit-before-commit' ? before : before + 1, point);
    const answer = await house.round(contract, made, before + 1);
    assert.equal(answer.result, 'leave', `${point}: ${JSON.stringify(answer)}`);
    assert.equal(await rounds(), before + 1, point);
    await house.tell(contract, made, before + 1, 'summed');
  }
  const { doubt, spent } = await accountOf(house.organisation, 'rows');
  assert.equal(doubt, null, 'no kill looks like a database that was put back');
  assert.ok((spent?.epsilon ?? 0) > 0);
  const mark = JSON.parse(readFileSync(join(custodian.state, 'privacy-ledger.json'), 'utf8')) as { seq: number };
  assert.ok(mark.seq > 0);
});
