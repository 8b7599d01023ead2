// What the command line says of accounts: whose a device is, who is invited, which workloads may ask.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { startHouse } from '../../scripts/house/index.ts';
import { missing } from '../../scripts/needs.ts';

test('accounts by the command line', { skip: missing('full') }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-accounts-'));
  const house = await startHouse({ root, agents: 0 });
  t.after(async () => {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  });
  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await house.cli([...args, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await house.cli(args);
    assert.notEqual(code, 0);
    return stderr;
  };

  await t.test('a device of a new organisation is nobody’s yet, and at level 1', async () => {
    const { member, level, mode } = await json('account', 'status');
    assert.deepEqual([member, level, mode], [null, 1, 'device-only']);
    const { stdout } = await house.cli(['account', 'status']);
    assert.match(stdout, /device-only/);
  });

  await t.test('no wrong code steps it up, and an address without a host name takes no passkey', async () => {
    const { code, stderr } = await house.cli(['account', 'step-up', '--name', 'abcdefghij'], { input: '000000\n' });
    assert.notEqual(code, 0);
    assert.match(stderr, /does not sign anybody in/);
    assert.match(await refused('account', 'step-up', '--browser'), /no host name/);
    assert.match(await refused('account', 'step-up', '--browser', '--name', 'x'), /takes no code/);
  });

  await t.test('a workload is added by its key, listed, and removed', async () => {
    // What begins with a dash is a flag to a command line.
    const key = `--public-key=${SigningKey.generate(systemRng).publicKey}`;
    const { account, ends } = await json('service-account', 'add', '--role', 'read-only', key, '--days', '30');
    assert.ok(typeof account === 'string' && typeof ends === 'number');
    const { accounts } = (await json('service-account', 'ls')) as { accounts: { account: string }[] };
    assert.deepEqual(
      accounts.map((each) => each.account),
      [account],
    );
    await json('service-account', 'remove', account);
    assert.deepEqual((await json('service-account', 'ls'))['accounts'], []);
    assert.match(await refused('service-account', 'add', '--role', 'read-only', key, '--days', '91'), /1 to 90/);
  });

  await t.test('what ends soon is told to an owner’s device, and by no command that nobody watches', async () => {
    assert.deepEqual(await json('account', 'notices'), { notices: [], silent: {} });
    assert.equal((await house.cli(['account', 'notices'])).stdout, 'nothing\n');
    const { stderr } = await house.cli(['account', 'status']);
    assert.equal(stderr, '');
  });

  await t.test('an identity provider that the operator did not list is not asked', async () => {
    const add = ['sso', 'add', 'https://login.example', '--client-id', 'x', '--public'];
    assert.match(await refused(...add), /may not fetch from there/);
    assert.match(await refused(...add, '--algorithm', 'HS256'), /no such algorithm/);
    assert.deepEqual((await json('sso', 'ls'))['providers'], []);
  });
});
