import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRelayConfig } from './config.ts';
import { DEFAULT_RELAY_LIMITS } from './limits.ts';

const BASE = ['run', '--state', '/s', '--listen', '10.0.0.1:8443'];

test('state and address are enough', () => {
  assert.deepEqual(parseRelayConfig(BASE), {
    state: '/s',
    host: '10.0.0.1',
    port: 8443,
    names: ['10.0.0.1'],
    certificate: undefined,
    limits: DEFAULT_RELAY_LIMITS,
    logLevel: 'info',
  });
  assert.equal(parseRelayConfig(['--help']), 'help');
});

test('all flags are read', () => {
  const flags =
    '--name Relay.Example.org --name ::1 --tls-cert c.pem --tls-key k.pem --max-connections 9 ' +
    '--max-connections-per-client 8 --max-links 7 --idle-timeout 90s --log-level debug';
  const config = parseRelayConfig([...BASE, ...flags.split(' ')]);
  assert.ok(config !== 'help');
  assert.deepEqual(config.names, ['relay.example.org', '[::1]']);
  assert.deepEqual(config.certificate, { certificateFile: 'c.pem', keyFile: 'k.pem' });
  assert.deepEqual(config.limits, {
    ...DEFAULT_RELAY_LIMITS,
    connections: 9,
    connectionsPerClient: 8,
    links: 7,
    idleWithin: 90_000,
  });
  assert.equal(config.logLevel, 'debug');
});

test('IPv6 addresses are read and named in brackets', () => {
  const config = parseRelayConfig(['run', '--state', '/s', '--listen', '[::1]:0']);
  assert.ok(config !== 'help');
  assert.deepEqual([config.host, config.port, config.names], ['::1', 0, ['[::1]']]);
});

test('each mistake names its flag and the next step', () => {
  const cases: [string[], RegExp][] = [
    [[], /run/],
    [['stop', ...BASE.slice(1)], /run/],
    [[...BASE, 'more'], /run/],
    [['run', '--listen', 'a:1'], /--state/],
    [['run', '--state', '/s'], /--listen/],
    [['run', '--state', '/s', '--listen', '8443'], /--listen/],
    [['run', '--state', '/s', '--listen', 'a:70000'], /--listen/],
    [['run', '--state', '/s', '--listen', '::1:8443'], /--listen/],
    [['run', '--state', '/s', '--listen', '0.0.0.0:8443'], /--name/],
    [['run', '--state', '/s', '--listen', '[::]:8443'], /--name/],
    [[...BASE, '--name', 'https://x'], /--name/],
    [[...BASE, '--name', 'x:443'], /--name/],
    [[...BASE, '--tls-cert', 'c.pem'], /--tls-key/],
    [[...BASE, '--max-links', '0'], /--max-links/],
    [[...BASE, '--max-connections', '1e3'], /--max-connections/],
    [[...BASE, '--idle-timeout', '5'], /--idle-timeout/],
    [[...BASE, '--idle-timeout', '10ms'], /--idle-timeout/],
    [[...BASE, '--log-level', 'loud'], /--log-level/],
    [[...BASE, '--lissten', 'x'], /--lissten/],
  ];
  for (const [args, named] of cases)
    assert.throws(
      () => parseRelayConfig(args),
      (error: { name: string; code: string; message: string; next?: string }) => {
        assert.deepEqual([error.name, error.code], ['RelayError', 'bad-config'], args.join(' '));
        assert.match(error.message, named);
        return error.next !== undefined;
      },
      args.join(' '),
    );
});
