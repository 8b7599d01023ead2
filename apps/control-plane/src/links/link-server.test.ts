import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LINK_PATH, LINK_PROTOCOL } from '@ringfence/client/control-link';
import { WebSocket } from 'ws';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';

/** More than handshakes are worked on at once. */
const STRANGERS = 52;

test('strangers that say nothing keep no agent out, and are gone soon', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const running = await startReplica(t, { databaseUrl });
  const org = new TestOrganisation();
  const { agent, client } = await org.enrol(t, running);
  await agent.close();
  const url = `${running.ready.url.replace(/^https/, 'wss')}${LINK_PATH}`;
  const ca = readFileSync(running.ready['ca_file'] ?? '');
  const page = new WebSocket(url, LINK_PROTOCOL, { ca, origin: running.ready.url });
  t.after(() => page.terminate());
  await assert.rejects(once(page, 'open'), { code: 'ECONNRESET' }, 'a page of a browser opens no link');
  const strangers = Array.from({ length: STRANGERS }, () => new WebSocket(url, LINK_PROTOCOL, { ca }));
  t.after(() => {
    for (const stranger of strangers) stranger.terminate();
  });
  let gone = 0;
  for (const stranger of strangers) stranger.on('error', () => {}).once('close', () => (gone += 1));
  const opened = () => strangers.filter(({ readyState }) => readyState !== WebSocket.CONNECTING).length;
  await until('the strangers', () => opened() === STRANGERS);
  assert.equal(gone, 0);
  org.dial(t, running, org.agent, { folder: agent.folder });
  await until('the agent is back', async () => (await client.agents())[0]?.online === true);
  assert.equal(gone, 0, 'it waited for none of them');
  await until('the strangers are gone', () => gone === STRANGERS);
});
