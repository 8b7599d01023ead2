import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { readJournal, type JournalRecordOf } from '@ringfence/ledger';
import { SigningKey } from '@ringfence/crypto/sign';
import { beginHandshake, FrameSender, readOpen } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import type { WebSocket } from 'ws';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { JOURNAL_NAME } from './journal-file.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

const job = newId('job', systemRng);

/** What a double says once it has got the hello. */
type Script = (end: { seal: (message: Message, mid?: number) => Uint8Array; socket: WebSocket }) => void;

/** A party that dials a double which speaks real frames, and what its journal says happened. */
async function meet(t: TestContext, double: (controlPlane: LoopbackControlPlane, socket: WebSocket) => void) {
  const clock = fastClock(20);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const folder = temporaryFolder(t);
  const handled: string[] = [];
  controlPlane.serve = (socket) => {
    double(controlPlane, socket);
    return { close: () => {} };
  };
  const { link, close } = dial(t, controlPlane, {
    identity,
    folder,
    clock,
    onMessage: async ({ name }) => {
      handled.push(name);
      return undefined;
    },
  });
  const disconnects = (): JournalRecordOf<'disconnect'>[] =>
    readJournal(readFileSync(join(folder, JOURNAL_NAME))).records.filter((record) => record.kind === 'disconnect');
  await until(() => disconnects().length >= 1, 'the party to hang up');
  await close();
  const [first] = disconnects();
  assert.ok(first !== undefined);
  return { link, handled, code: first.code, out: first.out, connections: controlPlane.connections };
}

/** A double whose handshake is right except for `change`, and that goes on with `script` after the hello. */
function handshaken(
  script: Script = () => {},
  change: Partial<{
    keys: ReturnType<LoopbackControlPlane['keys']>;
    framesKey: SigningKey;
    mangle: (accept: Uint8Array) => void;
  }> = {},
) {
  return (controlPlane: LoopbackControlPlane, socket: WebSocket): void => {
    let sender: FrameSender | undefined;
    socket.on('message', (data: Buffer) => {
      if (sender !== undefined)
        return script({ socket, seal: (message, mid = 0) => (sender as FrameSender).seal(message, mid).bytes });
      const request = readOpen(data, controlPlane.id);
      assert.ok(request.ok);
      const { keys = controlPlane.keys(), framesKey = controlPlane.frames } = change;
      const answer = request.answer({ keys, framesKey, last: null, rng: systemRng });
      assert.ok(answer.ok);
      change.mangle?.(answer.accept);
      const key = answer.keys.responderToInitiator;
      sender = new FrameSender({ direction: 'control-plane', key, transcript: answer.transcript, signing: framesKey });
      socket.send(answer.accept);
    });
  };
}

const welcome: Message = {
  name: 'welcome',
  body: { version: 1, received: 0, heartbeatMs: 5_000, at: 1_800_000_000_000 as never },
};
const renew: Message = { name: 'renew', body: { echo: 0, leases: [] } };
const stop: Message = { name: 'stop', body: { job, attempt: 1, graceMs: 0, reason: 'requested' } };

test('a control plane with another root gets the open frame and nothing else', async (t) => {
  const other = SigningKey.generate(systemRng);
  const { code, out } = await meet(t, (controlPlane, socket) =>
    handshaken(undefined, { keys: controlPlane.keys({ root: other }) })(controlPlane, socket),
  );
  assert.deepEqual([code, out], ['keys', 2_048]);
});

test('neither does one that names the pinned root without its signature, or speaks as another control plane', async (t) => {
  const other = SigningKey.generate(systemRng);
  const unsigned = await meet(t, (controlPlane, socket) =>
    handshaken(undefined, { keys: controlPlane.keys({ signer: other }) })(controlPlane, socket),
  );
  assert.deepEqual([unsigned.code, unsigned.out], ['keys', 2_048]);
  const id = newId('controlPlane', systemRng);
  const renamed = await meet(t, (controlPlane, socket) =>
    handshaken(undefined, { keys: controlPlane.keys({ id }) })(controlPlane, socket),
  );
  assert.deepEqual([renamed.code, renamed.out], ['recipient', 2_048]);
});

test('nor one that has the signed keys but not the key that they name', async (t) => {
  const { code, out } = await meet(t, handshaken(undefined, { framesKey: SigningKey.generate(systemRng) }));
  assert.deepEqual([code, out], ['handshake-signature', 2_048]);
});

test('a good accept frame of another connection of the same party does not pass', async (t) => {
  const { code, out } = await meet(t, (controlPlane, socket) => {
    socket.on('message', (data: Buffer) => {
      const request = readOpen(data, controlPlane.id);
      assert.ok(request.ok);
      const pinned = { controlPlane: controlPlane.id, root: controlPlane.root.publicKey };
      const earlier = readOpen(beginHandshake(request.party, pinned, systemRng).open, controlPlane.id);
      assert.ok(earlier.ok);
      const { frames: framesKey } = controlPlane;
      const answer = earlier.answer({ keys: controlPlane.keys(), framesKey, last: null, rng: systemRng });
      assert.ok(answer.ok);
      socket.send(answer.accept);
    });
  });
  assert.deepEqual([code, out], ['handshake-signature', 2_048]);
});

test('a lower version in the accept frame, or a welcome to a version that was not offered, ends the link', async (t) => {
  const mangled = await meet(t, handshaken(undefined, { mangle: (accept) => accept.fill(0, 0, 1) }));
  assert.deepEqual([mangled.code, mangled.out], ['version', 2_048]);
  const downgraded = await meet(
    t,
    handshaken(({ socket, seal }) =>
      socket.send(seal({ name: 'welcome', body: { ...welcome.body, version: 2 } as never })),
    ),
  );
  assert.equal(downgraded.code, 'version');
});

test('nothing is handled before welcome, and no welcome comes twice', async (t) => {
  const early = await meet(
    t,
    handshaken(({ socket, seal }) => socket.send(seal(stop, 1))),
  );
  assert.deepEqual([early.code, early.handled], ['order', []]);
  const twice = await meet(
    t,
    handshaken(({ socket, seal }) => {
      socket.send(seal(welcome));
      socket.send(seal(welcome));
    }),
  );
  assert.equal(twice.code, 'order');
});

test('messages left out, acknowledgements of nothing, and messages for custodians end the link', async (t) => {
  const saying = (...frames: [Message, number?][]) =>
    meet(
      t,
      handshaken(({ socket, seal }) => {
        socket.send(seal(welcome));
        for (const [message, mid] of frames) socket.send(seal(message, mid));
      }),
    );
  const gap = await saying([stop, 1], [stop, 3]);
  assert.deepEqual([gap.code, gap.handled], ['message-gap', ['stop']]);
  assert.equal((await saying([{ name: 'control-ack', body: { mid: 1 } }])).code, 'message-gap');
  assert.equal((await saying([{ name: 'job-closed', body: { job, state: 'failed' } }, 1])).code, 'sender');
  const ahead = await meet(
    t,
    handshaken(({ socket, seal }) =>
      socket.send(seal({ name: 'welcome', body: { ...welcome.body, received: 5 } as never })),
    ),
  );
  assert.equal(ahead.code, 'message-gap');
});

test('a repeated message is handled once', async (t) => {
  const { code, handled } = await meet(
    t,
    handshaken(({ socket, seal }) => {
      for (const frame of [seal(welcome), seal(stop, 1), seal(stop, 1), seal(renew), seal(welcome)]) socket.send(frame);
    }),
  );
  assert.deepEqual([code, handled], ['order', ['stop', 'renew']]);
});

test('text, other sizes and more bytes than the budget allows end the link', async (t) => {
  const raw = (bytes: Uint8Array | string) =>
    meet(
      t,
      handshaken(({ socket, seal }) => {
        socket.send(seal(welcome));
        socket.send(bytes);
      }),
    );
  assert.equal((await raw('stop')).code, 'size');
  assert.equal((await raw(Buffer.alloc(511))).code, 'size');
  assert.equal((await raw(Buffer.alloc(100_000))).code, 'size');
  assert.equal((await raw(Buffer.alloc(512, 1))).code, 'class');
  const flood = await meet(
    t,
    handshaken(({ socket, seal }) => {
      socket.send(seal(welcome));
      for (let frame = 0; frame < 200; frame += 1) socket.send(seal(renew));
    }),
  );
  assert.equal(flood.code, 'budget');
  assert.ok(flood.handled.length <= 90, 'reading stopped at the budget');
});
