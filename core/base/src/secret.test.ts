import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from './secret.ts';

const VALUE = 'hunter2-hunter2';
const make = (): Secret => new Secret(Buffer.from(VALUE));

test('no way of printing shows the bytes', () => {
  const secret = make();
  const holder = { secret, list: [secret], map: new Map([['k', secret]]) };
  const printed = [
    JSON.stringify(holder),
    String(secret),
    ''.concat(String(secret), secret as unknown as string),
    inspect(secret),
    inspect(holder, { depth: 10, showHidden: true, getters: true }),
    format('%s %o %O %j %d', secret, secret, secret, secret, secret),
    format(secret),
    new Error(String(secret), { cause: secret }).message,
    inspect(new Error('x', { cause: secret })),
    Object.getOwnPropertyNames(secret).join(),
    inspect(structuredClone(secret)),
    assertionMessage(secret),
  ];
  const forms = ['utf8', 'hex', 'base64', 'base64url', 'latin1'] as const;
  const hidden = [
    ...forms.map((form) => Buffer.from(VALUE).toString(form).slice(0, 12)),
    [...Buffer.from(VALUE)].join(',').slice(0, 12),
  ];
  for (const text of printed) for (const form of hidden) assert.equal(text.includes(form), false, text);
  assert.equal(String(secret), '[secret]');
});

test('the bytes themselves are there for those who ask', () => {
  assert.equal(Buffer.from(make().expose()).toString(), VALUE);
  assert.equal(make().length, VALUE.length);
});

test('leaving the scope wipes them', () => {
  const bytes = Buffer.from(VALUE);
  new Secret(bytes)[Symbol.dispose]();
  assert.deepEqual(bytes, Buffer.alloc(VALUE.length));
});

function assertionMessage(secret: Secret): string {
  try {
    assert.deepEqual({ secret }, { secret: 1 });
  } catch (error) {
    return inspect(error);
  }
  return assert.fail('equal');
}
