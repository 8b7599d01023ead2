import { readFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { readProfile } from '../home/profile.ts';
import { verifyReceipt } from '../receipt/receipt-file.ts';
import { receiptLines } from '../receipt/receipt-lines.ts';

const MOST_BYTES = 65_536;

export const command: Command = {
  usage: 'FILE',
  summary: 'whether a receipt is as the control plane of this profile signed it, and what it says; needs no network',
  options: {},
  words: [1, 1],
  async run({ home, terminal }, [path = '']) {
    const receipt = verifyReceipt(readReceipt(path), readProfile(home).controlPlane);
    terminal.value({ verified: true, receipt });
    terminal.line(receiptLines(receipt, (agent) => agent).join('\n'));
    terminal.line('Verified signed by the keys that the pinned root of the control plane named at that time');
  },
};

function readReceipt(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= MOST_BYTES) return bytes.toString('latin1');
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next: 'name a file of `ringfence receipt get`' });
  }
  throw new CliError('bad-file', `${path} is larger than any receipt`, {
    next: 'name a file of `ringfence receipt get`',
  });
}
