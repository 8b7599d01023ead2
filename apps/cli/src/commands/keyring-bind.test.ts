import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { fingerprintWords, SigningKey } from '@ringfence/crypto/sign';
import type { CommandContext } from '../command.ts';
import { command as deviceAdd, stepThere } from './device-add.ts';
import { command as keyringBind } from './keyring-bind.ts';

const rng = seededRng('keyring bind');
const context = { rng } as CommandContext;

test('an unknown role is called one, with the roles that there are', async () => {
  const device = newId('device', rng);
  const unknown = { code: 'usage', message: 'there is no such role', next: /^roles are owner, .*ml-engineer, / };
  await assert.rejects(keyringBind.run(context, [device, 'ml-enginer'], {}), unknown);
  const flags = { words: 'w', out: 'f', role: ['auditor', 'ml-enginer'] };
  await assert.rejects(deviceAdd.run(context, ['request'], flags), unknown);
  await assert.rejects(keyringBind.run(context, ['laptop', 'ml-engineer'], {}), {
    message: /bound to a device by its id/,
  });
});

test('who added a device is told what is run there', () => {
  const root = SigningKey.generate(rng).publicKey;
  const words = fingerprintWords(root);
  assert.match(
    stepThere('/tmp/laptop.welcome', root),
    new RegExp(`^there: ringfence device accept laptop.welcome --words "${words}" `),
  );
});
