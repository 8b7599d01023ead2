import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { newAgent, offerOf, TestOrganisation } from '../organisation.fixture.ts';

test('an offer with another tier or site than the custodian vouches for gets no jobs', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl });
  const org = new TestOrganisation();
  const { client, custodian } = await org.enrol(t, controlPlane);
  const away = newAgent();
  const { id, site, sign } = away;
  const vouched: DurablePartyMessage = {
    name: 'member',
    body: { op: 'add', id, sign: sign.publicKey, keyringSeq: 9, tier: 'secure-cloud', site },
  };
  await custodian.send(vouched);
  await until('it is known', async () => (await client.agents()).length >= 1);
  const agent = org.dial(t, controlPlane, away);
  const faults = async () => (await client.offers()).find(({ offer }) => offer === away.offer)?.quarantined;
  const says = (field: string) => async () => {
    const found = await faults();
    return found?.length === 1 && found[0]?.field === field && found[0].fault === 'not-as-vouched';
  };
  await agent.send(offerOf(away, { epoch: 2 }));
  await until('another tier', says('tier'));
  await agent.send(offerOf(away, { epoch: 3, tier: 'secure-cloud', site: newId('site', systemRng) }));
  await until('another site', says('site'));
  await agent.send(offerOf(away, { epoch: 4, tier: 'secure-cloud' }));
  await until('as it is', async () => (await faults())?.length === 0);
  const others = (await client.offers()).filter(({ offer }) => offer !== away.offer);
  assert.deepEqual(
    others.map(({ quarantined }) => quarantined),
    [[]],
    'an agent of which the custodian says nothing is believed',
  );
});
