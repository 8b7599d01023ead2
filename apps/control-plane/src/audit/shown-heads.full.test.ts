import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
import { judgeOffer, originOf, type HeldCheckpoint, type OfferVerdict } from '@ringfence/ledger/tlog';
import type { MessageBody } from '@ringfence/protocol/messages';
import pg from 'pg';
import { startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { TestOrganisation, type TestLink } from '../organisation.fixture.ts';

type Offer = MessageBody<'log-checkpoint'>;

/** Checkpoints that came over a link, and takes them off. */
async function shownTo({ messages }: TestLink): Promise<Offer[]> {
  const found = (): Offer[] => messages.flatMap((message) => (message.name === 'log-checkpoint' ? [message.body] : []));
  await until('a checkpoint', () => found().length > 0);
  return found();
}

test('a party is shown the log when its link is up, each time with a proof from what it holds, and sees when it was rolled back', async (t) => {
  const database = await startDatabase(t);
  const keys = temporaryFolder(t);
  const house = new TestOrganisation();
  const witness = { name: newId('agent', systemRng), key: NoteKey.generate(systemRng) };
  let held: HeldCheckpoint | undefined;
  const judge = (offers: readonly Offer[], origin: string): OfferVerdict[] => {
    const verdicts = offers.map((offer) => judgeOffer(held, offer, { origin, witness, seconds: 1_800_000_000 }));
    for (const verdict of verdicts) if (verdict.do === 'cosign') ({ held } = verdict);
    return verdicts.filter((verdict) => verdict.do === 'cosign' || verdict.do === 'accuse');
  };
  const first = await startReplica(t, { databaseUrl: database.url, keys });
  const origin = originOf(first.ready['id'] ?? assert.fail(), house.org, 1);
  const { client, custodian } = await house.enrol(t, first);
  assert.deepEqual(
    judge((await shownTo(custodian)).slice(0, 1), origin).map((verdict) => verdict.do),
    ['cosign'],
  );
  await client.submit(house.submission());
  const { size } = await client.audit();
  await until('more is logged', async () => (await client.audit()).size > size);
  await custodian.close();
  await first.close();
  for (const [bend, found] of [
    [undefined, 'cosign'],
    ['rolled-back', 'accuse'],
  ] as const) {
    if (bend !== undefined) await rollBack(database.url, house.org);
    const again = await startReplica(t, { databaseUrl: database.url, keys });
    const link = house.dial(t, again, 'custodian', { folder: custodian.folder });
    const verdicts = judge(await shownTo(link), origin);
    assert.equal(verdicts[0]?.do, found);
    if (verdicts[0]?.do === 'accuse') assert.equal(verdicts[0].fault, bend);
    await link.close();
    await again.close();
  }
});

/** All but the first three entries are gone, and the head says so, as after a restore of an old backup. */
async function rollBack(url: string, org: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('set search_path to rf_cp');
  for (const table of ['audit_entry', 'audit_tile', 'audit_log'])
    await client.query(`delete from ${table} where org = '${org}'`);
  await client.query(`delete from event where org = '${org}' and seq > 3`);
  await client.query(
    `update organisation set event_seq = 3, event_hash = (select hash from event where org = '${org}' and seq = 3) where org = '${org}'`,
  );
  await client.end();
}
