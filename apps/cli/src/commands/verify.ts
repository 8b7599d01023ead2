import { readFileSync } from 'node:fs';
import { texts, type Command, type CommandContext, type Flags } from '../command.ts';
import { recogniseFile } from '../audit/recognise-file.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { verifyErasureFile } from '../audit/verify-erasure.ts';
import {
  verifyCheckpointFile,
  verifyJournalFile,
  verifyProofFile,
  verifyStatementFile,
  type Found,
} from '../audit/verify-kinds.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { readProfile } from '../home/profile.ts';
import { verifyReceipt } from '../receipt/receipt-file.ts';
import { receiptLines } from '../receipt/receipt-lines.ts';
import { withSession } from '../session.ts';
import { command as auditVerify } from './audit-verify.ts';

export const command: Command = {
  usage: 'FILE [--key NAME+ID+KEY]…',
  summary:
    'whether a file is what was signed: an export of a log, a proof, a checkpoint, a journal, a receipt, a report of an erasure, or a signed statement',
  options: { key: { type: 'string', multiple: true } },
  words: [1, 1],
  async run(context, words, flags) {
    const [path = ''] = words;
    const kind = recogniseFile(path);
    if (kind === 'log-export') return auditVerify.run(context, words, flags);
    const found = await verifyAs(kind, { context, path, flags });
    context.terminal.value({ verified: true, ...found.value });
    context.terminal.line(found.lines.join('\n'));
  },
};

async function verifyAs(
  kind: Exclude<ReturnType<typeof recogniseFile>, 'log-export'>,
  { context, path, flags }: { context: CommandContext; path: string; flags: Flags },
): Promise<Found> {
  const trust = { keys: texts(flags, 'key'), memory: new LogMemory(context.home) };
  switch (kind) {
    case 'tlog-proof':
      return verifyProofFile(path, trust);
    case 'checkpoint':
      return verifyCheckpointFile(path, trust);
    case 'journal':
      return verifyJournalFile(path);
    case 'receipt': {
      const receipt = verifyReceipt(readFileSync(path, 'latin1'), readProfile(context.home).controlPlane);
      return { value: { kind, receipt }, lines: ['Verified: a receipt', ...receiptLines(receipt, (agent) => agent)] };
    }
    case 'erasure':
    case 'statement': {
      const keyring = await withSession(context, (session) => checkedKeyring(context, session));
      return kind === 'erasure' ? verifyErasureFile(path, keyring) : verifyStatementFile(path, keyring);
    }
  }
}
