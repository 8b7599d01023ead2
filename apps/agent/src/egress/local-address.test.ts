import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLocalAddress } from './local-address.ts';

const OWN = ['10.1.2.3', 'fd00::7', 'fe80::1%eth0'];

test('the machine, its link, multicast and metadata services are local, in every spelling', () => {
  for (const address of [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
    '10.1.2.3',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    'fe80::2',
    'fe80::2%eth0',
    'ff02::1',
    'fd00::7',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:10.1.2.3',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a9fe:a9fe',
    '::ffff:0:127.0.0.1',
    '64:ff9b:1:7f00:0:100::',
    '64:ff9b:1:a9fe:a9:fe00::',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    '2002:a01:203:1::5',
    '2001:0:7f00:1::1',
    '2001:0:808:808:8000:1234:80ff:fffe',
    '2001:db8::5efe:127.0.0.1',
    '2001:db8::200:5efe:10.1.2.3',
    'localhost',
    '',
  ])
    assert.ok(isLocalAddress(address, OWN), address);
});

test('other addresses are not, private networks included', () => {
  for (const address of [
    '10.1.2.4',
    '192.168.0.1',
    '192.0.2.1',
    '8.8.8.8',
    '2001:db8::1',
    'fd00::8',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    '2001:0:808:808:8000:1234:f7f7:f7f7',
    '2001:db8::5efe:8.8.8.8',
  ])
    assert.ok(!isLocalAddress(address, OWN), address);
});

test('an IPv4 address counts the same however IPv6 carries it', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const local = isLocalAddress(address, OWN);
      const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      const [high, low] = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16));
      const turned = [(a << 8) | b, (c << 8) | d].map((group) => (group ^ 0xffff).toString(16)).join(':');
      for (const carried of [
        `::ffff:${address}`,
        `64:ff9b::${address}`,
        `2002:${high}:${low}::1`,
        `2001:0:808:808:0:1:${turned}`,
        `2001:db8::5efe:${address}`,
      ])
        assert.equal(isLocalAddress(carried, OWN), local, carried);
    }),
    { numRuns: 2000 },
  );
});
