import { canonicalJson, jsonOf, type EpochMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { openControlPlaneKeys, readStatement, verifyStatement, type ControlPlanePin } from '@ringfence/keyring';
import { envelope } from '@ringfence/protocol';
import type { ReceiptStatement } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';

/** A receipt, and the statement by which the control plane's root names the key that signed it. */
const receiptFile = z.strictObject({ v: z.literal(1), keys: envelope, receipt: envelope });

/** The one spelling of a receipt file: canonical JSON and a line feed. */
export function receiptText(keys: Envelope, receipt: Envelope): string {
  return `${canonicalJson({ v: 1, keys, receipt })}\n`;
}

/**
 * What the receipt in `text` says, once everything holds: the file is spelt as it was written, the pinned root names the keys of that time, they
 * signed the receipt, and its numbers agree. Needs no network. Throws CliError `check-failed`.
 */
export function verifyReceipt(text: string, pin: ControlPlanePin): ReceiptStatement {
  try {
    const file = receiptFile.parse(jsonOf(text));
    if (receiptText(file.keys, file.receipt) !== text) throw new TypeError('another spelling');
    for (const { signatures } of [file.keys, file.receipt])
      if (signatures.length !== 1) throw new TypeError('other signatures than were written');
    return verified(file, pin);
  } catch (cause) {
    throw new CliError(
      'check-failed',
      'this is no receipt of the control plane of this profile, or not as it was signed',
      {
        cause,
        next: 'get it again with `ringfence receipt get`, and look at which profile RINGFENCE_HOME names',
      },
    );
  }
}

function verified({ keys, receipt }: z.output<typeof receiptFile>, pin: ControlPlanePin): ReceiptStatement {
  const read = readStatement('receipt', receipt);
  const named = openControlPlaneKeys(keys, pin, read.claimed.at);
  if (named === undefined) throw new TypeError('the pinned root names no such keys');
  const { body } = verifyStatement(read, [named.body.leases]);
  if (body.controlPlane !== pin.id) throw new TypeError('the receipt of another control plane');
  requireSums(body);
  return body;
}

function requireSums({ considered, refused, feasible, evidence, evidenceUntil }: ReceiptStatement): void {
  const sum = refused.reduce((all, { count }) => all + count, 0);
  if (feasible === undefined ? sum >= considered : sum + feasible !== considered)
    throw new TypeError('counts that do not sum up');
  if (new Set(refused.map(({ constraint }) => constraint)).size !== refused.length)
    throw new TypeError('a constraint that refused twice');
  const ends: EpochMs[] = evidence?.map(({ notAfter }) => notAfter) ?? [];
  if (evidenceUntil !== (ends.length > 0 ? Math.min(...ends) : undefined))
    throw new TypeError('evidence that ends at another time');
}
