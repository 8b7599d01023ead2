import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { forProduction } from './finding.ts';
import { memberFindings } from './members.ts';

const member = newId('member', seededRng('doctor'));
const officer = (factors: string[]) => ({ member, name: null, devices: [], officer: true, factors });
type Answer = Awaited<ReturnType<Parameters<typeof memberFindings>[0]['members']>>;
const verdicts = async (answer: Answer): Promise<string[]> =>
  forProduction(await memberFindings({ members: async () => answer })).map(({ verdict }) => verdict);

test('device-only, or an officer without an authenticator, does for a try and not for production', async () => {
  assert.deepEqual(await verdicts({ mode: 'device-only', members: [officer([])] }), ['bad']);
  assert.deepEqual(await verdicts({ mode: 'factors', members: [officer(['totp']), officer([])] }), ['bad']);
  assert.deepEqual(
    await verdicts({ mode: 'factors', members: [officer(['totp']), { ...officer([]), officer: false }] }),
    ['good'],
  );
});

test('an older custodian, and one that tells only others, say nothing', async () => {
  for (const code of ['not-found', 'not-authorised'])
    assert.deepEqual(await memberFindings({ members: () => Promise.reject(new ApiRefusal(404, code, 'no')) }), []);
  const down = new ApiRefusal(503, 'unavailable', 'busy');
  await assert.rejects(memberFindings({ members: () => Promise.reject(down) }), down);
});
