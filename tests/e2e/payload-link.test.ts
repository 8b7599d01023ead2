import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestPayload } from '@ringfence/client/payload-link';
import {
  agentTo,
  certificateOf,
  Cleanup,
  listenAt,
  newIdentity,
  peerSeen,
  relayRoute,
  startParty,
  startRelay,
} from './payload-link-parties.ts';

test('a request goes through the relay and the peer is known by its key', async () => {
  await using cleanup = new Cleanup();
  const [relay, caller] = [await startRelay(cleanup), await newIdentity()];
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (request, response) => response.end(JSON.stringify({ url: request.url, peer: peerSeen(request) })),
  });
  await listenAt(party, relay);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  const { status, body } = await requestPayload(agent, { method: 'POST', path: '/x', body: { json: { a: 1 } } });
  assert.equal(status, 200);
  assert.deepEqual(body, {
    url: '/x',
    peer: { kind: 'known', id: 'member', key: caller.key.publicKey, certificate: certificateOf(caller) },
  });
});
