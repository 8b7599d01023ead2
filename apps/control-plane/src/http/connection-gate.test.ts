import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { ConnectionGate } from './connection-gate.ts';

class FakeSocket {
  destroyed = false;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

function gate() {
  const clock = new ManualClock();
  const passed: FakeSocket[] = [];
  const made = new ConnectionGate(clock, (socket) => passed.push(socket as never));
  const open = (address: string): FakeSocket => {
    const socket = new FakeSocket(address);
    made.take(socket as unknown as Socket);
    return socket;
  };
  return { clock, passed, gate: made, open };
}

describe('the gate of connections', () => {
  it('lets a burst in at once, then 200 a second', () => {
    const { clock, passed, open } = gate();
    for (let at = 0; at < 400; at += 1) open('10.0.0.1');
    assert.equal(passed.length, 100);
    clock.advance(1_000);
    assert.ok(Math.abs(passed.length - 300) <= 2, String(passed.length));
  });

  it('gives another network its turn at once, however many wait of one', () => {
    const { clock, passed, open } = gate();
    for (let at = 0; at < 600; at += 1) open('10.0.0.1');
    const honest = open('10.0.0.2');
    clock.advance(20);
    assert.ok(passed.includes(honest));
    assert.ok(passed.length < 110);
  });

  it('ends what comes when too many wait, of one network and in all, and what waited too long', () => {
    const { clock, gate: made, open, passed } = gate();
    const flood = Array.from({ length: 100 + 513 }, () => open('10.0.0.1'));
    assert.equal(made.waiting, 512);
    assert.equal(flood.at(-1)?.destroyed, true);
    for (let at = 0; at < 4_000; at += 1) open(`10.1.${at >> 8}.${at & 255}`);
    assert.equal(made.waiting, 4_096);
    const [places, honest] = [made.waiting, open('10.0.0.2')];
    assert.equal(honest.destroyed, false, 'who has the most places gives one up');
    assert.equal(made.waiting, places);
    // One was too many of its network; 416 made room for the others, and one for the last.
    assert.equal(flood.filter(({ destroyed }) => destroyed).length, 1 + 416 + 1);
    clock.advance(30_000);
    assert.equal(made.waiting, 0);
    assert.ok(passed.length < 100 + 5_100 / 5, `${passed.length} were let in within five seconds`);
  });

  it('counts addresses of one IPv6 network together, and forgets who went away', () => {
    const { clock, passed, open } = gate();
    for (let at = 0; at < 300; at += 1) open(`2001:db8::${at.toString(16)}`);
    const gone = open('2001:db8:1::1');
    gone.destroy();
    const honest = open('2001:db8:2::1');
    clock.advance(20);
    assert.ok(!passed.includes(gone) && passed.includes(honest));
  });
});
