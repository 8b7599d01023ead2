import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epsilonOf } from '@ringfence/dp/accountant';
import type { Contract } from '@ringfence/protocol/statements';
import type { Decimal } from '@ringfence/protocol/federation';
import { FlError } from '../fl-error.ts';
import { encodingOfContract, parametersOf, roundPrivacy } from './index.ts';

type Terms = Parameters<typeof encodingOfContract>[0];

const decimal = (text: string): Decimal => text as Decimal;
const privacy: Contract['privacy'] = {
  unit: { kind: 'organisation' },
  grade: 'enforced',
  clip: decimal('1'),
  noise: { multiplier: decimal('2'), honestMin: 3, sampleRate: decimal('1') },
  budget: { epsilon: decimal('3'), delta: decimal('0.00001') },
};

function terms(edit: Partial<Contract> = {}): Terms {
  const code = { kind: 'own', parameters: 62, digest: '0'.repeat(64), run: 'python3 t.py' } as Contract['code'];
  const clients = Array.from({ length: 4 }) as unknown as Contract['clients'];
  return { code, clients, privacy, encoding: { ringWidth: 20, scale: decimal('500') }, ...edit };
}

test('what a contract says becomes the encoding that all of its clients share', () => {
  const encoding = encodingOfContract(terms());
  const { dimension, clients, clipOf, clip, scale, width, honestMin } = encoding;
  assert.deepEqual([dimension, clients, clipOf, clip, scale, width, honestMin], [62, 4, 'update', 1, 500, 20, 3]);
  assert.ok(encoding.variance * honestMin >= (2 * 500) ** 2);
  const record = encodingOfContract(terms({ privacy: { ...privacy, unit: { kind: 'record' } } }));
  assert.equal(record.clipOf, 'unit');
  const softmax = { kind: 'softmax', inputs: 30, classes: 2 } as const;
  const embedded = { kind: 'embedded', model: softmax } as Contract['code'];
  assert.equal(parametersOf({ code: embedded }), 62);
  assert.throws(() => encodingOfContract(terms({ encoding: { ringWidth: 8, scale: decimal('500') } })), FlError);
});

test('a round costs what its noise promises, and more before those who know more of the noise', () => {
  const { against, unit, grade } = roundPrivacy(terms());
  assert.deepEqual([unit, grade], [{ kind: 'organisation' }, 'enforced']);
  const { outsiders, member, others } = against ?? assert.fail();
  const [a, b, c] = [outsiders, member, others].map((event) => epsilonOf([event ?? assert.fail()], 1e-5).least);
  // One Gaussian step of multiplier 2 has epsilon 1.93 at this delta; rounding and whole numbers cost little.
  assert.ok((a ?? 0) > 1.9 && (a ?? 0) < 2.2, String(a));
  assert.ok((a ?? 0) < (b ?? 0) && (b ?? 0) < (c ?? 0));
  assert.equal(roundPrivacy(terms({ privacy: { ...privacy, noise: null, budget: null } })).against, undefined);
});
