import { parseVerifierKey } from '@ringfence/ledger/tlog';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { accuserLines, allAccusers } from '../audit/accusers.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { showLog } from '../audit/open-log.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'both logs, their keys, who has cosigned how much of them, and what witnesses found wrong',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal, home } = context;
    const wrong = await withSession(context, async (session) => {
      const memory = new LogMemory(home);
      // Its accusations are a first look: `allAccusers` has each of them.
      const { controlPlane, cosigned } = await session.custodian.auditWitnessed();
      const accusers = await allAccusers(session.custodian);
      const accusations = accusers.flatMap(({ witness, accusations: kept }) =>
        kept.map((accusation) => ({ witness, accusation })),
      );
      const logs: { log: string; origin: string; key: string; size: number; verifiedBefore: number }[] = [];
      for (const name of ['control-plane', 'custodian'] as const) {
        const { answer, head, verifiedBefore } = await showLog(context, session, memory, name);
        logs.push({ log: name, origin: answer.origin, key: answer.key, size: head.size, verifiedBefore });
      }
      const found = accusers.map(({ witness, filed }) => ({ witness, filed }));
      terminal.value({ logs, controlPlane, cosigned, accusers: found, accusations });
      const shrunk = logs.filter(({ size, verifiedBefore }) => size < verifiedBefore);
      for (const { log, key, size } of logs) terminal.line(`${log}: ${size} entries; key ${key}`);
      for (const { log, size, verifiedBefore } of shrunk)
        terminal.line(`${log}: had ${verifiedBefore} entries when this device verified it, ROLLED BACK to ${size}`);
      const rows = cosigned.map(({ key, origin, size }) => [
        parseVerifierKey(key)?.name ?? '',
        logs.find((log) => log.origin === origin)?.log ?? origin,
        String(size),
      ]);
      terminal.line(tableOr('no witness has cosigned yet', ['WITNESS', 'LOG', 'COSIGNED'], rows));
      for (const line of accusers.flatMap(accuserLines)) terminal.line(line);
      return found.reduce((all, { filed }) => all + filed, shrunk.length);
    });
    if (wrong > 0)
      throw new CliError('check-failed', `it was found ${wrong} times that a log is not what it was`, {
        next: 'docs/protocol/audit.md says what each word means; `--json` has the evidence',
      });
  },
};
