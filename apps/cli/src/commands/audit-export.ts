import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportLog, tileReader } from '@ringfence/client/api';
import { bundlesOfTree, tilePath, tilesOfTree } from '@ringfence/ledger/tlog';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { LOG_FLAG, namedLog, openLog, type OpenLog } from '../audit/open-log.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '(--to FILE | --tiles DIR) [--log control-plane|custodian]',
  summary:
    'write a whole log into one file that is verified offline, or as files for any client of such logs (C2SP tlog-tiles)',
  options: { ...LOG_FLAG, to: { type: 'string' }, tiles: { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const { terminal, home } = context;
    const [to, tiles] = [text(flags, 'to'), text(flags, 'tiles')];
    if ((to === undefined) === (tiles === undefined))
      throw new CliError('usage', 'name one place to write to', { next: '--to FILE, or --tiles DIR' });
    await withSession(context, async (session) => {
      const log = await openLog(context, session, new LogMemory(home), namedLog(flags));
      const { cosigned } = await session.custodian.auditWitnessed();
      const { origin, key, size } = log.answer;
      const notes = cosigned
        .filter((each) => each.origin === origin && each.size <= size)
        .map((each) => each.checkpoint);
      if (to !== undefined) await writeFile(to, exportLog(log.source, log.answer, notes));
      if (tiles !== undefined) await writeTiles(tiles, log);
      terminal.value({ to: to ?? tiles, origin, key, size });
      terminal.line(`${to ?? tiles}: ${size} entries; whoever has this key can check them:\n${key}`);
    });
  },
};

async function writeFile(path: string, lines: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(lines), createWriteStream(path, { flags: 'wx', mode: 0o644 }));
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be written`, { cause, next: 'name a file that is not there yet' });
  }
}

/** As a static server would give them out: `checkpoint` and `tile/…`. */
async function writeTiles(folder: string, { source, head, note }: OpenLog): Promise<void> {
  const read = tileReader(source);
  for (const tiles of [tilesOfTree(head.size), bundlesOfTree(head.size)])
    for (const tile of tiles) {
      const path = join(folder, tilePath(tile));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, await read(tile));
    }
  writeFileSync(join(folder, 'checkpoint'), note);
}
