import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { newId, systemRng, type Clock } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { beginHandshake, FrameReceiver, FrameSender, type PartyHandshake } from '@ringfence/protocol/frames';
import type { Message, MessageBody } from '@ringfence/protocol/messages';
import { WebSocket } from 'ws';
import { LoopbackControlPlane, type PartyRow } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { LINK_PATH, LINK_PROTOCOL } from './frame-transport.ts';
import { newParty, temporaryFolder } from './party.fixture.ts';

const job = newId('job', systemRng);
const beat: Message = { name: 'heartbeat', body: { attempts: [] } };
const status: Message = { name: 'attempt-status', body: { job, attempt: 1, state: 'running' } };

interface Caller {
  readonly socket: WebSocket;
  readonly handshake: PartyHandshake;
  readonly heard: Message[];
  readonly row: PartyRow;
  readonly controlPlane: LoopbackControlPlane;
  readonly identity: ReturnType<typeof newParty>;
  readonly clock: Clock;
  seal: (message: Message, mid?: number) => Uint8Array;
  hello: (change?: Partial<MessageBody<'hello'>>) => Message;
}

/** A party that keeps no journal and no rules, connected, with its open frame sent and the accept frame read. */
async function call(t: TestContext, change: { open?: boolean } = {}): Promise<Caller> {
  const clock = fastClock(20);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const socket = new WebSocket(`wss://127.0.0.1:${controlPlane.port}${LINK_PATH}`, LINK_PROTOCOL, {
    ca: readFileSync(controlPlane.trust.caFile),
    perMessageDeflate: false,
  });
  socket.on('error', () => {});
  t.after(() => socket.terminate());
  const pinned = { controlPlane: controlPlane.id, root: controlPlane.root.publicKey };
  const handshake = beginHandshake(identity.party.id, pinned, systemRng);
  const heard: Message[] = [];
  let sender: FrameSender | undefined;
  let receiver: FrameReceiver | undefined;
  socket.on('message', (data: Buffer) => {
    const opened = receiver?.open(data);
    if (opened?.ok === true) return void heard.push(opened.message);
    const agreed = handshake.finish(data, clock.now());
    assert.ok(agreed.ok);
    const { transcript, keys } = agreed;
    sender = new FrameSender({ direction: 'party', key: keys.initiatorToResponder, transcript, signing: identity.key });
    receiver = new FrameReceiver({
      direction: 'control-plane',
      role: 'agent',
      key: keys.responderToInitiator,
      transcript,
      signer: agreed.controlPlaneKeys.frames,
    });
  });
  await new Promise((resolve) => socket.once('open', resolve));
  if (change.open !== false) {
    socket.send(handshake.open);
    await until(() => sender !== undefined, 'the accept frame');
  }
  const { id: party, org, role } = identity.party;
  return {
    socket,
    handshake,
    heard,
    row,
    controlPlane,
    identity,
    clock,
    seal: (message, mid = 0) => (sender as FrameSender).seal(message, mid).bytes,
    hello: (fields = {}) => ({
      name: 'hello',
      body: {
        role,
        party,
        org,
        versions: { min: 1, max: 1 },
        journal: { seq: 1, hash: '1'.repeat(64) as never },
        resume: null,
        received: 0,
        ...fields,
      },
    }),
  };
}

/** How the control plane's side of the only connection ended. */
async function ended({ controlPlane }: Caller): Promise<string> {
  await until(() => controlPlane.ends.length === 1, 'the end');
  return controlPlane.ends[0]?.code ?? '';
}

test('nothing but an open frame begins a link, and only one', async (t) => {
  const first = await call(t, { open: false });
  first.socket.send(Buffer.alloc(512));
  assert.equal(await ended(first), 'size');
  const twice = await call(t, { open: false });
  twice.socket.send(twice.handshake.open);
  twice.socket.send(twice.handshake.open);
  // Read as a sealed frame when the accept frame is out already.
  assert.match(await ended(twice), /^(order|reserved)$/);
  const text = await call(t, { open: false });
  text.socket.send('hello');
  assert.equal(await ended(text), 'size');
  const elsewhere = await call(t, { open: false });
  const pinned = { controlPlane: newId('controlPlane', systemRng), root: elsewhere.controlPlane.root.publicKey };
  elsewhere.socket.send(beginHandshake(elsewhere.identity.party.id, pinned, systemRng).open);
  assert.equal(await ended(elsewhere), 'recipient');
});

test('nobody who stays silent keeps a connection', async (t) => {
  const silent = await call(t, { open: false });
  assert.equal(await ended(silent), 'timed-out');
  const half = await call(t);
  assert.equal(await ended(half), 'timed-out');
  assert.equal(half.row.connection, 0);
});

test('no message counts before the hello, and no version that is not spoken', async (t) => {
  const early = await call(t);
  early.socket.send(early.seal(status, 1));
  assert.equal(await ended(early), 'order');
  assert.equal(early.row.messages.length, 0);
  const later = await call(t);
  later.socket.send(later.seal(later.hello({ versions: { min: 2, max: 3 } })));
  assert.equal(await ended(later), 'goodbye');
  await until(() => later.heard.length === 1, 'goodbye');
  assert.deepEqual(later.heard[0]?.body, { reason: 'version' });
});

test('a resume point that was never asked for, or does not fit, locks the identity', async (t) => {
  const invented = await call(t);
  invented.socket.send(invented.seal(invented.hello({ resume: { seq: 1, hash: '2'.repeat(64) as never } })));
  assert.equal(await ended(invented), 'goodbye');
  assert.equal(invented.row.locked, true);
});

test('ids are taken in order and once; a gap and an acknowledgement of nothing end the link', async (t) => {
  const caller = await call(t);
  caller.socket.send(caller.seal(caller.hello()));
  await until(() => caller.heard.length === 1, 'welcome');
  caller.socket.send(caller.seal(status, 1));
  caller.socket.send(caller.seal(status, 1));
  caller.socket.send(caller.seal(status, 2));
  await until(() => caller.row.received === 2, 'two messages');
  assert.deepEqual(
    caller.row.messages.map(({ mid }) => mid),
    [1, 2],
  );
  caller.socket.send(caller.seal(status, 4));
  assert.equal(await ended(caller), 'message-gap');
  const other = await call(t);
  other.socket.send(other.seal(other.hello()));
  other.socket.send(other.seal({ name: 'ack', body: { mid: 1 } }));
  assert.match(await ended(other), /^(message-gap|order)$/);
});

test('a party that sends more than the budget is cut off', async (t) => {
  const caller = await call(t);
  caller.socket.send(caller.seal(caller.hello()));
  await until(() => caller.heard.length === 1, 'welcome');
  for (let frame = 0; frame < 200; frame += 1) caller.socket.send(caller.seal(beat));
  assert.equal(await ended(caller), 'budget');
  const { bytesIn } = caller.controlPlane.ends[0] ?? { bytesIn: 0 };
  assert.ok(bytesIn > 40_000 && bytesIn < 70_000, `${bytesIn} bytes were read`);
});

test('a callback that fails acknowledges nothing and says so', async (t) => {
  const caller = await call(t);
  caller.socket.send(caller.seal(caller.hello()));
  await until(() => caller.heard.length === 1, 'welcome');
  caller.row.connection += 1;
  caller.socket.send(caller.seal(status, 1));
  assert.equal(await ended(caller), 'failed');
  assert.deepEqual(
    caller.heard.map(({ name }) => name).filter((name) => name === 'control-ack'),
    [],
  );
  assert.equal(caller.row.received, 0);
});

test('an older connection is told that it is superseded; a removed party unknown, a locked one locked', async (t) => {
  const caller = await call(t);
  caller.socket.send(caller.seal(caller.hello()));
  await until(() => caller.row.link !== undefined, 'the link');
  caller.row.link?.close('superseded');
  await until(() => caller.heard.length === 2, 'goodbye');
  assert.deepEqual(
    caller.heard.map(({ name, body }) => [name, 'reason' in body ? body.reason : '']),
    [
      ['welcome', ''],
      ['goodbye', 'superseded'],
    ],
  );
});
