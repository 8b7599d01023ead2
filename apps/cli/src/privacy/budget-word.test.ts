import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiRefusal } from '@ringfence/client/api';
import type { Session } from '../session.ts';
import { accounts } from './budget-word.ts';

test('the account of a dataset that there is not names the nearest one', async () => {
  const refusal = new ApiRefusal(404, 'not-found', 'there is no dataset of this name');
  const custodian = {
    privacy: { status: () => Promise.reject(refusal) },
    artifacts: () => Promise.resolve([{ name: 'patients' }]),
  };
  const session = { custodian } as unknown as Session;
  await assert.rejects(accounts(session, 'patient'), {
    code: 'not-found',
    message: 'the custodian has no dataset called patient',
    next: /^did you mean patients\? .*ringfence dataset ls/,
  });
  await assert.rejects(accounts(session), refusal);
});
