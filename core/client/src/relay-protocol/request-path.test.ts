import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { parseRelayAddress, relayAddressOf, shortAddress } from './address.ts';
import { parseHostHeader, relayHostOf } from './relay-host.ts';
import { parseRelayPath, relayPathOf, type RelayRequest } from './request-path.ts';
import { newRelayTicket, parseRelayTicket } from './ticket.ts';

const SEED = 'relay-path-1';
const rng = seededRng('relay-path');
const address = relayAddressOf(TlsKey.generate(rng).publicKey);

test('each request is read back from its path', () => {
  const requests: RelayRequest[] = [
    { kind: 'listen' },
    { kind: 'dial', address },
    { kind: 'accept', ticket: newRelayTicket(rng) },
  ];
  for (const request of requests) assert.deepEqual(parseRelayPath(relayPathOf(request)), request);
});

test('other paths are refused', () => {
  const ticket = newRelayTicket(rng);
  const wrong = [
    '',
    '/',
    '/v1/listen/',
    '/v1/listen?x',
    '/v2/listen',
    `/v1/dial/${address.toUpperCase()}`,
    `/v1/dial/${address.slice(1)}`,
    `/v1/dial/${address}/`,
    `/v1/accept/${ticket}x`,
    `/v1/accept/${ticket.slice(0, -1)}_`,
    `/v1/accept/${address}`,
    `/v1/dial/${ticket}`,
  ];
  for (const path of wrong) assert.equal(parseRelayPath(path), undefined, path);
});

test(`a path means one request or nothing (seed ${SEED})`, () => {
  const paths = [relayPathOf({ kind: 'dial', address }), relayPathOf({ kind: 'accept', ticket: newRelayTicket(rng) })];
  const random = seededRng(SEED);
  let read = 0;
  for (let round = 0; round < 100_000; round += 1) {
    const [which = 0, at = 0, first = 0, second = 0] = random.bytes(4);
    const path = paths[which % 2] ?? '';
    const start = at % path.length;
    const text = String.fromCharCode(first % 130, second % 130).slice(which % 3);
    const changed = path.slice(0, start) + text + path.slice(start + text.length);
    const request = parseRelayPath(changed);
    if (request === undefined) continue;
    read += 1;
    assert.equal(relayPathOf(request), changed);
  }
  assert.ok(read > 1_000, 'some changes leave a request');
});

test('addresses and tickets have one spelling', () => {
  assert.equal(parseRelayAddress(address), address);
  assert.equal(parseRelayAddress(`${address} `), undefined);
  assert.match(shortAddress(address), /^[0-9a-f]{8}$/);
  const ticket = newRelayTicket(rng);
  assert.equal(parseRelayTicket(ticket), ticket);
  const spellings = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    .split('')
    .filter((last) => parseRelayTicket(ticket.slice(0, -1) + last) !== undefined);
  assert.equal(spellings.length, 4, 'the last letter carries two bits');
});

test('the host in a URL and in a Host header are spelt alike', () => {
  const cases = [
    ['https://Relay.Example.org', 'RELAY.example.ORG', 'relay.example.org', 'relay.example.org:443'],
    ['https://relay.example.org:8443', 'relay.example.org:8443', 'relay.example.org', 'relay.example.org:8443'],
    ['https://127.0.0.1:9', '127.0.0.1:9', '127.0.0.1', '127.0.0.1:9'],
    ['https://[::1]:9', '[::1]:9', '[::1]', '[::1]:9'],
  ] as const;
  for (const [url, header, name, host] of cases) {
    assert.equal(relayHostOf(new URL(url)), host);
    assert.deepEqual(parseHostHeader(header), { name, host });
  }
  for (const header of ['', 'a b', 'a/b', 'a@b', 'a:b', 'a:70000', 'a?b', 'a#b', 'é'])
    assert.equal(parseHostHeader(header), undefined, header);
});
