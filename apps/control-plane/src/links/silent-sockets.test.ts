import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SilentSockets } from './silent-sockets.ts';

test('an address has its share of the places for strangers, and a place is left once', () => {
  const silent = new SilentSockets();
  const taken = Array.from({ length: 256 }, () => silent.enter('::ffff:192.0.2.1'));
  assert.ok(taken.every((leave) => leave !== undefined));
  assert.equal(silent.enter('192.0.2.1'), undefined);
  assert.ok(silent.enter('192.0.2.2'));
  taken[0]?.();
  taken[0]?.();
  assert.ok(silent.enter('192.0.2.1'));
  assert.equal(silent.enter('192.0.2.1'), undefined);
  for (let network = 0; silent.count < 2_048; network += 1) assert.ok(silent.enter(`198.51.100.${network % 200}`));
  assert.equal(silent.enter('203.0.113.1'), undefined, 'all places are taken');
});

test('a network of IPv6 is one address, however it is written', () => {
  const silent = new SilentSockets();
  for (let host = 0; host < 256; host += 1) assert.ok(silent.enter(`2001:db8::1:${host.toString(16)}`));
  for (const same of ['2001:db8::', '2001:db8:0:0:5::', '2001:db8::9:8:7:6'])
    assert.equal(silent.enter(same), undefined);
  for (const other of ['2001:db8:0:1::', '::1', '::', '2001:db9::1']) assert.ok(silent.enter(other));
});
