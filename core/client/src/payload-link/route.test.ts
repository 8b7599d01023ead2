import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { relayAddressOf } from '../relay-protocol/index.ts';
import { inDialOrder, routesTo } from './route.ts';

const tls = TlsKey.generate(systemRng).publicKey;
const access = { relayUrl: 'https://relay.example.org', pin: 'ab' };

test('a party is reached by its address and through its relay, and not by what is no address', () => {
  const relay = { kind: 'relay', ...access, address: relayAddressOf(tls) };
  const lan = { kind: 'lan', host: '::1', port: 7443 };
  assert.deepEqual(routesTo({ tls, lan: '[::1]:7443' }, access), [lan, relay]);
  assert.deepEqual(routesTo({ tls, lan: null }, access), [relay]);
  assert.deepEqual(routesTo({ tls, lan: 'host:65536' }, undefined), []);
});

test('direct ways are tried first', () => {
  const [lan, relay] = routesTo({ tls, lan: 'host:1' }, access);
  assert.ok(lan !== undefined && relay !== undefined);
  assert.deepEqual(inDialOrder([relay, lan]), [lan, relay]);
});
