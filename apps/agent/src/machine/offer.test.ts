import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import { KEYS } from '../attempt/members.fixture.ts';
import { openOrganisation } from '../attempt/organisation.fixture.ts';
import { offerOf } from './offer.ts';

test('a machine whose admission has ended offers no disk, so that nothing is placed there', async (t) => {
  const { context, machine } = await openOrganisation(t);
  const entry = context.keyring.keyring.agent(context.link.agent) ?? assert.fail();
  const key = KEYS.stranger.publicKey;
  const span = { from: epochMs(1_000), until: epochMs(2_000) };
  const admitted = { provider: newId('provider', rng), authority: key, admitter: key, ...span };
  const disk = (now: number, of = { ...entry, admitted }): number | undefined =>
    offerOf(machine, context.link, of, { epoch: 1, now: epochMs(now) })?.diskBytes;
  assert.ok((disk(1_999) ?? 0) > 0);
  assert.equal(disk(2_000), 0);
  assert.equal(offerOf(machine, context.link, entry, { epoch: 1, now: epochMs(2_000) })?.diskBytes, disk(1_999));
});
