import { formatTlogProof, inclusionRanges, leafHash, verifyTlogProof } from '@ringfence/ledger/tlog';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { indexOf } from '../audit/entry-index.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { entryBytesAt, LOG_FLAG, namedLog, openLog, treeFor } from '../audit/open-log.ts';
import { writeNewFile } from '../new-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'INDEX --to FILE [--log control-plane|custodian]',
  summary: 'write a proof that an entry is in a log, with the entry, for whoever has the log’s key (C2SP tlog-proof)',
  options: { ...LOG_FLAG, to: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const { terminal, home } = context;
    const to = text(flags, 'to');
    if (to === undefined) throw new CliError('usage', '--to is missing', { next: 'name a file that is not there yet' });
    const index = indexOf(word);
    await withSession(context, async (session) => {
      const log = await openLog(context, session, new LogMemory(home), namedLog(flags));
      const entry = await entryBytesAt(log, index);
      const tree = await treeFor(log, inclusionRanges(index, log.head.size));
      const proof = { index, proof: tree.proveInclusion(index), checkpoint: log.note, extra: entry };
      const verified = verifyTlogProof(proof, leafHash(entry), { ...log.trust, quorum: 0 });
      if (!verified.ok)
        throw new CliError('check-failed', `the log gives an entry ${index} that its head does not have`, {
          next: 'run `ringfence audit verify`, and keep what it prints',
        });
      writeNewFile(to, formatTlogProof(proof));
      terminal.value({ file: to, origin: log.answer.origin, key: log.answer.key, index, size: log.head.size });
      terminal.line(`${to}: entry ${index} of ${log.head.size}; whoever has this key can check it:\n${log.answer.key}`);
    });
  },
};
