import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { dialPayload, expectKeys, relayAddressOf, requestPayload } from '@ringfence/client/payload-link';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { agentTo, Cleanup, listenAt, newIdentity, relayRoute, startParty, startRelay } from './payload-link-parties.ts';
import { startRelayProcess } from './payload-link-relay-process.ts';
import { startTap, type Direction, type TapOptions } from './payload-link-tap.ts';

/** What a relay could do to one message, or from one message on. */
const TAMPERING: Record<string, (message: Buffer) => Buffer[]> = {
  'flips the first bit': (message) => [flip(message, 0)],
  'flips a bit in the middle': (message) => [flip(message, message.length >> 1)],
  'flips the last bit': (message) => [flip(message, message.length - 1)],
  'drops a message': () => [],
  'sends a message twice': (message) => [message, message],
  'cuts a message short': (message) => [message.subarray(0, -1)],
  'puts bytes in': (message) => [Buffer.concat([Buffer.from([23, 3, 3, 0, 1, 0]), message])],
  'ends the direction early': (message) => [message.subarray(0, 5), Buffer.alloc(0)],
};

function flip(message: Buffer, at: number): Buffer {
  const changed = Buffer.from(message);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** Holds message `index` back and sends it after the next one. */
function swapAt(index: number): (at: number, message: Buffer) => Buffer[] {
  let held: Buffer | undefined;
  return (at, message) => {
    if (at === index) {
      held = message;
      return [];
    }
    if (at === index + 1 && held !== undefined) return [message, held];
    return [message];
  };
}

async function echoParty(cleanup: Cleanup) {
  const caller = await newIdentity();
  const bodies: string[] = [];
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (request, response) => {
      text(request).then(
        (body) => {
          bodies.push(body);
          response.end(body);
        },
        () => {},
      );
    },
  });
  return { caller, party, bodies };
}

test('whatever a relay does to the bytes, a request fails or is answered right, and the server sees no changed request', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party, bodies } = await echoParty(cleanup);
  await listenAt(party, relay);
  const body = { json: randomBytes(120_000).toString('base64') };
  const attempt = async (options: TapOptions, idleWithin = 1_500): Promise<string> => {
    await using inner = new Cleanup();
    const tap = await startTap(inner, relay, options);
    const agent = agentTo(inner, caller, party.identity, relayRoute(tap, party.identity));
    try {
      const answer = await requestPayload(agent, { method: 'POST', path: '/', body, idleWithin });
      assert.deepEqual([answer.status, answer.body], [200, body.json]);
      return 'right';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  assert.equal(await attempt({}, 10_000), 'right');
  const outcomes: string[] = [];
  for (const direction of ['up', 'down'] as const satisfies Direction[]) {
    // 0 is the hello, 1 the certificates, later ones are data.
    const all = [0, 1, 2].flatMap((index) => {
      const changes = Object.entries(TAMPERING).map(
        ([name, change]) => [name, (at: number, one: Buffer) => (at === index ? change(one) : [one])] as const,
      );
      return [...changes, ['swaps two messages', swapAt(index)] as const].map(async ([name, change]) => {
        const outcome = await attempt({ change: (way, at, one) => (way === direction ? change(at, one) : [one]) });
        outcomes.push(`${direction} ${index} ${name}: ${outcome}`);
      });
    });
    await Promise.all(all);
  }
  assert.equal(outcomes.length, 2 * 3 * 9);
  const failed = /: (link-broken|link-refused|relay-refused|wrong-peer|timed-out)$/;
  assert.deepEqual(
    outcomes.filter((outcome) => !failed.test(outcome)),
    [],
  );
  assert.ok(bodies.every((seen) => seen === JSON.stringify(body.json)));
});

test('a relay that connects the call to somebody else is found out before a byte of HTTP', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party } = await echoParty(cleanup);
  const other = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: () => assert.fail('the request reached the wrong party'),
  });
  await listenAt(party, relay);
  await listenAt(other, relay);
  const elsewhere = relayAddressOf(other.identity.key.publicKey);
  const tap = await startTap(cleanup, relay, { path: () => `/v1/dial/${elsewhere}` });
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(tap, party.identity));
  await assert.rejects(requestPayload(agent, { method: 'POST', path: '/', body: { json: 'secret' } }), {
    code: 'wrong-peer',
  });
});

test('a relay in between cannot listen for another by passing its challenge on', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const { caller, party } = await echoParty(cleanup);
  const tap = await startTap(cleanup, relay);
  const phases: string[] = [];
  party.listener.listenRelay(tap, { onState: ({ phase }) => phases.push(phase) });
  await until(() => phases.includes('waiting'));
  assert.deepEqual(phases, ['proving', 'waiting']);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  await assert.rejects(requestPayload(agent, { method: 'GET', path: '/' }), { code: 'peer-offline' });
});

test('what is sent crosses the relay as TLS records only and leaves nothing in its output', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelayProcess(cleanup);
  const { caller, party } = await echoParty(cleanup);
  await listenAt(party, relay);
  const tap = await startTap(cleanup, relay);
  const marker = `canary-${randomBytes(24).toString('hex')}`;
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(tap, party.identity));
  const path = `/${marker}?name=${marker}`;
  const { body } = await requestPayload(agent, {
    method: 'POST',
    path,
    headers: { 'x-name': marker },
    body: { json: { [marker]: Array.from({ length: 500 }, () => marker) } },
  });
  assert.ok(JSON.stringify(body).includes(marker));
  agent.destroy();
  await until(() => relay.output().includes('link-down'));
  for (const direction of ['up', 'down'] as const) {
    const bytes = Buffer.concat(tap.seen.filter((one) => one.direction === direction).map(({ message }) => message));
    assert.ok(bytes.length > 20_000);
    assertTlsRecords(bytes);
    for (const trace of tracesOf(marker)) assert.equal(bytes.indexOf(trace), -1);
  }
  const output = Buffer.from(relay.output());
  for (const trace of tracesOf(marker)) assert.equal(output.indexOf(trace), -1);
  const { publicKey } = party.identity.key;
  for (const secret of [
    publicKey,
    caller.key.publicKey,
    relayAddressOf(publicKey),
    relayAddressOf(caller.key.publicKey),
  ])
    assert.ok(!relay.output().includes(secret));
  assert.ok(relay.output().includes(relayAddressOf(publicKey).slice(0, 8)), 'lines can still be matched');
});

/** Pieces of `marker` as they could show up: plain, hexadecimal, and base64 at each of its three alignments. */
function tracesOf(marker: string): Buffer[] {
  const bytes = Buffer.from(marker);
  const pieces = [bytes.subarray(0, 12), bytes.subarray(20, 32), bytes.subarray(-12)];
  const base64 = [0, 1, 2].map((skip) => bytes.subarray(skip).toString('base64').slice(0, 16));
  return [...pieces, Buffer.from(bytes.toString('hex').slice(0, 24)), ...base64.map((one) => Buffer.from(one))];
}

/** RFC 8446 §5.1: type, version, length, that many bytes, again to the end. */
function assertTlsRecords(bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) {
    assert.ok([20, 21, 22, 23].includes(bytes[at] ?? 0), `record type at ${at}`);
    assert.equal(bytes[at + 1], 3);
    const length = bytes.readUInt16BE(at + 3);
    assert.ok(length > 0 && length <= 16_640);
    at += 5 + length;
  }
  assert.equal(at, bytes.length);
}

test('a dial says what is wrong with a relay that is none', async () => {
  await using cleanup = new Cleanup();
  const [caller, wanted] = [await newIdentity(), await newIdentity()];
  const relay = await startRelay(cleanup);
  const dial = (access: { relayUrl: string; caFile?: string; pin?: string }) =>
    dialPayload({
      routes: [{ ...relayRoute({ ...access }, wanted), caFile: access.caFile, pin: access.pin }],
      identity: caller,
      expect: expectKeys(wanted.key.publicKey),
      clock: systemClock,
    });
  const other = await startRelay(cleanup);
  await assert.rejects(dial({ relayUrl: relay.relayUrl, caFile: other.caFile }), { code: 'untrusted-server' });
  await assert.rejects(dial({ relayUrl: relay.relayUrl, pin: other.pin }), { code: 'untrusted-server' });
  await assert.rejects(dial({ relayUrl: relay.relayUrl, pin: relay.pin }), { code: 'peer-offline' });
  await assert.rejects(dial({ relayUrl: 'wss://127.0.0.1' }), { code: 'bad-url' });
  await other.close();
  await assert.rejects(dial({ relayUrl: other.relayUrl, caFile: other.caFile }), { code: 'unreachable' });
});
