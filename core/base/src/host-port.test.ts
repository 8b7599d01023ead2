import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostPort } from './host-port.ts';

test('names, IPv4 and bracketed IPv6 with a port', () => {
  assert.deepEqual(parseHostPort('relay.example.org:8443'), { host: 'relay.example.org', port: 8443 });
  assert.deepEqual(parseHostPort('0.0.0.0:0'), { host: '0.0.0.0', port: 0 });
  assert.deepEqual(parseHostPort('[::1]:65535'), { host: '::1', port: 65_535 });
});

test('what is no HOST:PORT', () => {
  for (const text of [
    '',
    'host',
    'host:',
    ':80',
    '::1:80',
    '[::1]',
    '[::1]80',
    '[host]:80',
    '[10.0.0.1]:80',
    'host:65536',
  ])
    assert.equal(parseHostPort(text), undefined, text);
  for (const text of ['host:123456', 'host:-1', 'host: 80', 'a b:80', 'host:80\n', 'http://host:80'])
    assert.equal(parseHostPort(text), undefined, text);
});
