import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import type { DurablePartyMessage } from './accept-link-options.ts';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { LinkJournal } from './link-journal.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

const job = newId('job', systemRng);
const status: DurablePartyMessage = { name: 'attempt-status', body: { job, attempt: 1, state: 'running' } };

async function house(t: TestContext) {
  const clock = fastClock(20);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  return { clock, controlPlane, identity, row };
}

test('of two copies of one state folder the second is detected, and the identity is locked for both', async (t) => {
  const { clock, controlPlane, identity, row } = await house(t);
  const original = temporaryFolder(t);
  const copy = join(temporaryFolder(t), 'copy');
  const before = dial(t, controlPlane, { identity, folder: original, clock });
  await until(() => before.link.state === 'up', 'the first connection');
  await before.close();
  cpSync(original, copy, { recursive: true });

  const first = dial(t, controlPlane, { identity, folder: original, clock });
  await until(() => first.link.state === 'up', 'the original');
  await first.link.send(status);
  await until(() => row.messages.length === 1, 'its message');
  const second = dial(t, controlPlane, { identity, folder: copy, clock });
  await until(() => second.link.state === 'locked', 'the copy to be found out');
  assert.equal(row.locked, true);
  await until(() => first.link.state === 'locked', 'the original to be locked as well');
  assert.equal(row.messages.length, 1, 'the copy changed nothing');
});

test('two copies that run at the same time displace each other until one is found out', async (t) => {
  const { clock, controlPlane, identity, row } = await house(t);
  const original = temporaryFolder(t);
  const copy = join(temporaryFolder(t), 'copy');
  const before = dial(t, controlPlane, { identity, folder: original, clock });
  await until(() => before.link.state === 'up', 'the first connection');
  await before.close();
  cpSync(original, copy, { recursive: true });
  const links = [original, copy].map((folder) => dial(t, controlPlane, { identity, folder, clock }).link);
  await until(() => links.every(({ state }) => state === 'locked'), 'both to be locked');
  assert.equal(row.locked, true);
});

test('a journal that was set back to an older state is a fork as well', async (t) => {
  const { clock, controlPlane, identity, row } = await house(t);
  const folder = temporaryFolder(t);
  const backup = join(temporaryFolder(t), 'backup');
  const before = dial(t, controlPlane, { identity, folder, clock });
  await before.close();
  cpSync(folder, backup, { recursive: true });
  const later = dial(t, controlPlane, { identity, folder, clock });
  await until(() => later.link.state === 'up', 'the link');
  await later.close();
  const restored = dial(t, controlPlane, { identity, folder: backup, clock });
  await until(() => restored.link.state === 'locked', 'the older journal to be refused');
  assert.equal(row.locked, true);
});

test('a party that is not known is told so and tries again once it is', async (t) => {
  const { clock, controlPlane, identity } = await house(t);
  controlPlane.rows.delete(identity.party.id);
  const { link } = dial(t, controlPlane, { identity, folder: temporaryFolder(t), clock });
  await until(() => controlPlane.ends.length >= 2, 'two attempts');
  assert.deepEqual(controlPlane.ends.map(({ code, reason }) => [code, reason]).slice(0, 2), [
    ['goodbye', 'unknown-party'],
    ['goodbye', 'unknown-party'],
  ]);
  controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  await until(() => link.state === 'up', 'the link');
});

test("a hello with another key than the party's changes nothing", async (t) => {
  const { clock, controlPlane, identity, row } = await house(t);
  const stranger = newParty();
  dial(t, controlPlane, { identity: { party: identity.party, key: stranger.key }, folder: temporaryFolder(t), clock });
  await until(() => controlPlane.ends.length >= 1, 'the refusal');
  assert.deepEqual(controlPlane.ends[0]?.code, 'signature');
  assert.deepEqual([row.last, row.connection, row.locked], [null, 0, false]);
});

test("a hello that claims another role or organisation than the party's is refused", async (t) => {
  const { clock, controlPlane, identity, row } = await house(t);
  const other = { ...identity, party: { ...identity.party, org: newId('org', systemRng) } };
  dial(t, controlPlane, { identity: other, folder: temporaryFolder(t), clock });
  await until(() => controlPlane.ends.length >= 1, 'the refusal');
  assert.deepEqual(controlPlane.ends[0]?.code, 'recipient');
  assert.equal(row.last, null);
});

test('a folder belongs to one party and one control plane', async (t) => {
  const { clock, controlPlane, identity } = await house(t);
  const folder = temporaryFolder(t);
  const open = (party = identity.party, id = controlPlane.id) =>
    LinkJournal.open({ folder, party, controlPlane: id, clock });
  await open().close();
  assert.throws(() => open(newParty().party), { code: 'wrong-folder' });
  assert.throws(() => open(identity.party, newId('controlPlane', systemRng)), { code: 'wrong-folder' });
  const again = open();
  assert.throws(() => open(), { code: 'folder-in-use' });
  await again.close();
});

test('several links of one agent go to several control planes, each with its own journal', async (t) => {
  const houses = [await house(t), await house(t)];
  const [first] = houses;
  assert.ok(first !== undefined);
  const { identity, clock } = first;
  const links = houses.map(({ controlPlane }) => {
    const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
    return { row, ...dial(t, controlPlane, { identity, folder: temporaryFolder(t), clock }) };
  });
  for (const { link } of links) await link.send(status);
  await until(() => links.every(({ row }) => row.messages.length === 1), 'a message at each');
});
