import { ApiRefusal } from '@ringfence/client/api';
import { signStatement } from '@ringfence/keyring';
import type { PoolView } from '@ringfence/protocol/api';
import { parsePoolFile, parsePoolFlags, POOL_FLAGS, type PoolWishes } from '@ringfence/protocol/pool-file';
import { text, type Command, type Flags } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { poolLines } from '../pool/pool-lines.ts';
import { poolTerms } from '../pool/pool-terms.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage:
    "[--file pool.yaml] [--budget '100 EUR'] [--period month] [--high 5m] [--low 1m] [--high-looks N] [--low-looks N] [--cooldown 5m] [--min-lifetime 10m] [--most-at-once 10] [--overhead 5m] [--home-cost '0.50 EUR']",
  summary: 'when jobs may leave home and what that may cost in all; what is not given stays as it is',
  options: {
    file: { type: 'string' },
    ...Object.fromEntries(POOL_FLAGS.map((flag) => [flag, { type: 'string' as const }])),
  },
  words: [0, 0],
  async run(context, _words, flags) {
    const wishes = wishesOf(flags);
    await withSession(context, async (session) => {
      const before = await currentPool(session);
      const { terms, homeHour } = poolTerms(wishes, before);
      const { org, device } = session.profile;
      const seq = (before?.seq ?? 0) + 1;
      const body = { v: 1, org, device, seq, terms, homeHour, at: context.clock.now() } as const;
      const view = await session.controlPlane.setPool(signStatement('pool', body, [session.keys.sign]));
      context.terminal.value(view);
      if (!context.terminal.json) context.terminal.line(poolLines(view, await namesOfAgents(session)).join('\n'));
    });
  },
};

/** What file and flags say together; a flag goes before the file. */
function wishesOf(flags: Flags): PoolWishes {
  const given = POOL_FLAGS.flatMap((flag): [string, string][] => {
    const value = text(flags, flag);
    return value === undefined ? [] : [[flag, value]];
  });
  const path = text(flags, 'file');
  const file = path === undefined ? {} : parsePoolFile(readTextFile(path, 'name a file as docs/burst.md shows it'));
  const said = Object.entries(parsePoolFlags(new Map(given))).filter(([, value]) => value !== undefined);
  return { ...file, ...Object.fromEntries(said) };
}

async function currentPool({ controlPlane }: Session): Promise<PoolView | undefined> {
  try {
    return await controlPlane.pool();
  } catch (error) {
    if (error instanceof ApiRefusal && error.code === 'not-found') return undefined;
    throw error;
  }
}
