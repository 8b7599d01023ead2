import type { TestContext } from 'node:test';
import { openTestStore, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation } from '../organisation.fixture.ts';

/** An organisation with two machines that offer the same, and the control plane's database beside it. */
export async function startTwoOffers(t: TestContext) {
  const { url: databaseUrl } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl });
  const house = new TestOrganisation();
  const { client, custodian } = await house.enrol(t, controlPlane);
  const other = newAgent();
  await custodian.send(memberOf(other));
  const link = house.dial(t, controlPlane, other);
  await link.send(offerOf(other));
  await until('two offers', async () => (await client.agents()).length === 2);
  return { house, controlPlane, client, custodian, other, link, store: await openTestStore(t, databaseUrl) };
}
