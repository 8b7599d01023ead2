import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import { requestPayload, type ListenerState, type PayloadAgent, type Route } from '@ringfence/client/payload-link';
import { agentTo, Cleanup, listenAt, newIdentity, relayRoute, startParty, startRelay } from './payload-link-parties.ts';
import { startRelayProcess } from './payload-link-relay-process.ts';

const GET = { method: 'GET', path: '/' } as const;

async function answering(cleanup: Cleanup, answer: string, identity = newIdentity()) {
  const caller = await newIdentity();
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (_, response) => response.end(JSON.stringify(answer)),
    identity: await identity,
  });
  return { caller, party };
}

/** Asks until there is an answer, at most 10 s. */
async function askUntilAnswered(agent: PayloadAgent): Promise<unknown> {
  const end = performance.now() + 10_000;
  for (;;) {
    try {
      return (await requestPayload(agent, GET)).body;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('a call to a party that is not there says so and what to do', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party } = await answering(cleanup, 'never');
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  await assert.rejects(requestPayload(agent, GET), (error: { name: string; code: string; next?: string }) => {
    assert.deepEqual([error.name, error.code], ['ClientError', 'peer-offline']);
    return error.next !== undefined;
  });
});

test('a party that cannot take more links is busy', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup, { linksPerAddress: 1 });
  const { caller, party } = await answering(cleanup, 'here');
  await listenAt(party, relay);
  const first = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  const second = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  assert.equal((await requestPayload(first, GET)).body, 'here');
  await assert.rejects(requestPayload(second, GET), { code: 'peer-busy' });
  first.destroy();
  assert.equal(await askUntilAnswered(second), 'here');
});

test('calls that come at once are all answered', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party } = await answering(cleanup, 'here');
  await listenAt(party, relay);
  const agents = Array.from({ length: 24 }, () =>
    agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity)),
  );
  const answers = await Promise.all(agents.map((agent) => requestPayload(agent, GET)));
  assert.ok(answers.every(({ body }) => body === 'here'));
});

test('a listener comes back after its relay was killed, and links that were open are told', async () => {
  await using cleanup = new Cleanup();
  const { caller, party } = await answering(cleanup, 'back');
  const relay = await startRelayProcess(cleanup);
  await listenAt(party, relay);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  assert.equal((await requestPayload(agent, GET)).body, 'back');
  assert.equal(await relay.stop('SIGKILL'), 'SIGKILL');
  await assert.rejects(requestPayload(agent, { ...GET, method: 'POST' }));
  const listen = relay.relayUrl.replace('https://', '');
  await startRelayProcess(cleanup, ['--listen', listen], relay.state);
  assert.equal(await askUntilAnswered(agent), 'back');
});

test('a second process with the same identity replaces the first, which stays away and says why', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const identity = await newIdentity();
  const [first, second] = [
    await answering(cleanup, 'first', Promise.resolve(identity)),
    await answering(cleanup, 'second', Promise.resolve(identity)),
  ];
  const states: ListenerState[] = [];
  const replaced = Promise.withResolvers<void>();
  const listening = Promise.withResolvers<void>();
  first.party.listener.listenRelay(relay, {
    reconnectWithin: 250,
    onState: (state) => {
      states.push(state);
      if (state.phase === 'listening') listening.resolve();
      if (state.phase === 'ended') replaced.resolve();
    },
  });
  await listening.promise;
  await listenAt(second.party, relay);
  await replaced.promise;
  assert.deepEqual(states.at(-1), { phase: 'ended', reason: 'replaced' });
  const agent = agentTo(cleanup, second.caller, identity, relayRoute(relay, identity));
  for (let count = 0; count < 3; count += 1) assert.equal((await requestPayload(agent, GET)).body, 'second');
  assert.equal(states.filter(({ phase }) => phase === 'listening').length, 1);
});

test('a listener that is closed leaves the relay and frees its process', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party } = await answering(cleanup, 'here');
  await listenAt(party, relay);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  assert.equal((await requestPayload(agent, GET)).body, 'here');
  agent.destroy();
  await party.listener.close();
  const again = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  await until(() => relay.lines.some((line) => line.includes('link-down')));
  await assert.rejects(requestPayload(again, GET), { code: 'peer-offline' });
});

test('closing waits for a request under way', async () => {
  await using cleanup = new Cleanup();
  const caller = await newIdentity();
  const begun = Promise.withResolvers<() => void>();
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (_, response) => begun.resolve(() => response.end('"late"')),
  });
  const address = await party.listener.listenLan({ host: '127.0.0.1', port: 0 });
  const agent = agentTo(cleanup, caller, party.identity, { kind: 'lan', ...address });
  const answer = requestPayload(agent, GET);
  const finish = await begun.promise;
  const closed = party.listener.close(10_000);
  finish();
  assert.equal((await answer).body, 'late');
  await closed;
});

test('a LAN address is preferred; the relay takes over when nobody answers there or somebody else does', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party } = await answering(cleanup, 'here');
  const other = await answering(cleanup, 'other');
  await listenAt(party, relay);
  const byRelay = relayRoute(relay, party.identity);
  const lan: Route = { kind: 'lan', ...(await party.listener.listenLan({ host: '127.0.0.1', port: 0 })) };
  const stranger: Route = { kind: 'lan', ...(await other.party.listener.listenLan({ host: '127.0.0.1', port: 0 })) };
  const linksUp = (): number => relay.lines.filter((line) => line.includes('link-up')).length;
  const ask = async (...routes: Route[]): Promise<unknown> =>
    (await requestPayload(agentTo(cleanup, caller, party.identity, ...routes), GET)).body;
  assert.equal(await ask(byRelay, lan), 'here');
  assert.equal(linksUp(), 0);
  assert.equal(await ask(byRelay, await closedPort()), 'here');
  assert.equal(linksUp(), 1);
  assert.equal(await ask(stranger, byRelay), 'here');
  assert.equal(linksUp(), 2);
  const offline = relayRoute(relay, other.party.identity);
  const attempt = ask(stranger, { ...offline, kind: 'relay' });
  await assert.rejects(attempt, (error: { code: string; cause?: { errors: { code: string }[] } }) => {
    assert.equal(error.code, 'peer-offline');
    assert.deepEqual(
      error.cause?.errors.map(({ code }) => code),
      ['wrong-peer', 'peer-offline'],
    );
    return true;
  });
});

async function closedPort(): Promise<Route> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return { kind: 'lan', host: '127.0.0.1', port };
}
