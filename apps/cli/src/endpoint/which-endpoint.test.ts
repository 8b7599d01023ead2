import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../session.ts';
import { whichEndpoint } from './which-endpoint.ts';

test('an endpoint that there is not is repeated, with the nearest name', async () => {
  const custodian = { endpoints: async () => ({ endpoints: [{ name: 'tumours' }], issuer: '' }) };
  const session = { custodian } as unknown as Pick<Session, 'custodian'>;
  assert.equal((await whichEndpoint(session, 'tumours')).row.name, 'tumours');
  await assert.rejects(whichEndpoint(session, 'tumors'), {
    code: 'not-found',
    message: 'no endpoint is called tumors',
    next: 'did you mean tumours? Otherwise see `ringfence endpoint ls`',
  });
});
