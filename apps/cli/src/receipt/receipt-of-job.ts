import type { JobId } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import type { ReceiptStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';
import { receiptText, verifyReceipt } from './receipt-file.ts';

/** A receipt that was verified, and the text of its file. */
export interface VerifiedReceipt {
  readonly text: string;
  readonly receipt: ReceiptStatement;
}

/** The receipt of a job's attempt, the newest by default, verified. Throws CliError `not-found`, `check-failed`. */
export async function receiptOfJob(session: Session, view: JobView, attempt?: number): Promise<VerifiedReceipt> {
  const { attempts } = view;
  const found = attempt === undefined ? attempts.at(-1) : attempts.find((other) => other.attempt === attempt);
  if (found === undefined)
    throw new CliError('not-found', 'there is no such attempt, and so no receipt', {
      next: 'see `ringfence status`, and `ringfence why` for what it waits for',
    });
  const { keys } = await session.controlPlane.about();
  const text = receiptText(keys, found.receipt);
  const receipt = verifyReceipt(text, session.profile.controlPlane);
  requireSame(receipt, view.job, found.attempt);
  return { text, receipt };
}

function requireSame(receipt: ReceiptStatement, job: JobId, attempt: number): void {
  if (receipt.job === job && receipt.attempt === attempt) return;
  throw new CliError('check-failed', 'the control plane gave the receipt of another attempt', {
    next: 'look at its ledger: `ringfence doctor`',
  });
}
