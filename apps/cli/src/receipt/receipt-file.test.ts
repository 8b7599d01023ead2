import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { ControlPlaneKeys, ReceiptStatement } from '@ringfence/protocol/statements';
import { receiptText, verifyReceipt } from './receipt-file.ts';
import { receiptLines } from './receipt-lines.ts';

const rng = seededRng('receipt file');
const at = epochMs(1_800_000_000_000);
const [root, frames, leases, other] = [1, 2, 3, 4].map(() => SigningKey.generate(rng)) as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
];
const id = newId('controlPlane', rng);
const pin = { id, root: root.publicKey };
const body: ReceiptStatement = {
  v: 1,
  org: newId('org', rng),
  job: newId('job', rng),
  attempt: 1,
  controlPlane: id,
  jobDigest: 'ab'.repeat(32) as ReceiptStatement['jobDigest'],
  constraintDigest: 'ab'.repeat(32) as ReceiptStatement['jobDigest'],
  labelDigest: 'cd'.repeat(32) as ReceiptStatement['jobDigest'],
  inventoryEpoch: 7,
  considered: 3,
  refused: [{ constraint: 'cpu', count: 1 }],
  feasible: 2,
  chosen: { offer: newId('offer', rng), agent: newId('agent', rng), tier: 'secure-cloud', isolation: 'sandbox' },
  score: { cost: 1_200_000, speed: 1_000_000, reliability: 0, gravity: 0 },
  price: { microUnits: 1_200_000, currency: 'EUR' },
  evidence: [{ digest: 'ef'.repeat(32) as ReceiptStatement['jobDigest'], notAfter: epochMs(at + 1) }],
  evidenceUntil: epochMs(at + 1),
  at,
};

function fileOf(
  change: Partial<ReceiptStatement> = {},
  {
    keys = {},
    by = leases,
    rootKey = root,
    without = [],
  }: {
    keys?: Partial<ControlPlaneKeys>;
    by?: SigningKey;
    rootKey?: SigningKey;
    without?: ('evidence' | 'evidenceUntil')[];
  } = {},
): string {
  const named = signStatement(
    'control-plane-keys',
    {
      v: 1,
      controlPlane: id,
      root: root.publicKey,
      frames: frames.publicKey,
      leases: leases.publicKey,
      at: epochMs(at - 1_000),
      notAfter: epochMs(at + 1_000),
      ...keys,
    },
    [rootKey],
  );
  const said = { ...body, ...change };
  for (const field of without) delete said[field];
  return receiptText(named, signStatement('receipt', said, [by]));
}

const refused = (text: string): void => {
  assert.throws(() => verifyReceipt(text, pin), { code: 'check-failed' });
};

test('a receipt verifies long after its keys have run out, and not with any byte of the file changed, added or left out', () => {
  const text = fileOf();
  assert.deepEqual(verifyReceipt(text, pin), body);
  for (let place = 0; place < text.length; place += 1) {
    for (const bit of [1, 32])
      refused(text.slice(0, place) + String.fromCharCode(text.charCodeAt(place) ^ bit) + text.slice(place + 1));
    refused(text.slice(0, place) + text.slice(place + 1));
    refused(`${text.slice(0, place)} ${text.slice(place)}`);
  }
  refused('');
  refused(`${text}\n`);
});

test('no receipt of other keys, of another time, of another control plane, or one whose numbers disagree', () => {
  refused(fileOf({}, { by: other }));
  refused(fileOf({}, { rootKey: other }));
  refused(fileOf({}, { keys: { leases: other.publicKey } }));
  refused(fileOf({}, { keys: { notAfter: at } }));
  refused(fileOf({ at: epochMs(at - 300_000) }));
  refused(fileOf({ controlPlane: newId('controlPlane', rng) }));
  refused(fileOf({ feasible: 1 }));
  refused(fileOf({ evidenceUntil: epochMs(at + 2) }));
  refused(fileOf({}, { without: ['evidenceUntil'] }));
  refused(fileOf({}, { without: ['evidence'] }));
  assert.equal(verifyReceipt(fileOf({}, { without: ['evidence', 'evidenceUntil'] }), pin).evidence, undefined);
  const one = { constraint: 'cpu', count: 1 } as const;
  refused(fileOf({ considered: 4, refused: [one, one] }));
  const { keys, receipt } = JSON.parse(fileOf());
  refused(receiptText(keys, { ...receipt, signatures: [...receipt.signatures, ...receipt.signatures] }));
});

test('people read what was reserved of the budget', () => {
  const budget = { period: 690, reserved: 12_500_000, currency: 'EUR' };
  const text = (receipt: ReceiptStatement) => receiptLines(receipt, String).join('\n');
  assert.match(text({ ...body, budget }), /^Budget {3}12\.5 EUR reserved, of period 690$/m);
  assert.doesNotMatch(text(body), /Budget/);
});
