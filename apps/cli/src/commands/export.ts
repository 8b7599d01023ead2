import { resolve } from 'node:path';
import { isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { verifyExport } from '../data/verify-export.ts';
import { writeExport } from '../data/write-export.ts';
import { readProfile } from '../home/profile.ts';
import { intoNewFolder, requireNewFolder } from '../job/new-folder.ts';
import { momentText } from '../placement/moment-text.ts';
import { byteProgress } from '../progress.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'DIR [--without-data | --member MEMBER | --verify]',
  summary: 'write everything that the organisation has into a new folder, signed; or check such a folder',
  options: { 'without-data': { type: 'boolean' }, verify: { type: 'boolean' }, member: { type: 'string' } },
  words: [1, 1],
  async run(context, [path = ''], flags) {
    const { terminal, home } = context;
    const target = resolve(path);
    if (flags['verify'] === true) {
      if (flags['without-data'] === true) throw new CliError('usage', '--verify looks at all that is there');
      const verified = await verifyExport(target, readProfile(home));
      terminal.value({ verified: true, ...verified });
      terminal.line(
        `Verified ${verified.files} files and ${verified.lines} lines, signed by custodian and device on ${momentText(verified.at)}`,
      );
      return;
    }
    const member = text(flags, 'member');
    if (member !== undefined && !isId('member', member))
      throw new CliError('usage', '--member takes the id of a member', { next: 'see `ringfence device ls`' });
    requireNewFolder(target);
    const progress = byteProgress(terminal, 'exporting');
    const written = await withSession(context, (session) =>
      intoNewFolder(target, (folder) =>
        writeExport(context, session, {
          folder,
          member,
          withData: flags['without-data'] !== true,
          onProgress: progress.add,
        }),
      ),
    );
    progress.end();
    terminal.value({ folder: target, files: written.files.length, withheld: written.withheld });
    terminal.line(`${written.files.length} files in ${target}`);
    for (const { what, why } of written.withheld) terminal.line(`not in it: ${what} (${why})`);
  },
};
