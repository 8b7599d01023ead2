import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, newId, silentLog as log, systemRng as rng } from '@ringfence/base';
import { IDS } from '../attempt/members.fixture.ts';
import { openOrganisation } from '../attempt/organisation.fixture.ts';
import { OwnersLeave } from './owners-leave.ts';

test('a yes of the custodian is asked for again after ten seconds; a no and no word are no yes', async (t) => {
  const clock = new ManualClock();
  const { context, wishes, requests } = await openOrganisation(t);
  const leave = new OwnersLeave({ custodian: context.custodian, clock, log });
  const wanted = { job: newId('job', rng), attempt: 1, device: IDS.device, kind: 'logs' } as const;
  const asked = () => requests.filter((path) => path === '/v1/openings').length;
  assert.equal(await leave.ask(wanted), 'unknown', 'an answer that is none');
  wishes.opening = { result: 'refused', reason: 'not-released' };
  assert.deepEqual([await leave.ask(wanted), await leave.ask(wanted), asked()], ['not-released', 'not-released', 3]);
  wishes.opening = { result: 'opened' };
  assert.deepEqual([await leave.ask(wanted), await leave.ask(wanted), asked()], ['opened', 'opened', 4]);
  assert.deepEqual([await leave.ask({ ...wanted, kind: 'metrics' }), asked()], ['opened', 5], 'each kind by itself');
  wishes.opening = { result: 'refused', reason: 'not-released' };
  assert.equal(await leave.ask(wanted), 'opened');
  clock.advance(10_000);
  assert.equal(await leave.ask(wanted), 'not-released');
});
