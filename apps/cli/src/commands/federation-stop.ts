import type { Command } from '../command.ts';
import { whichContract } from '../federation/which-contract.ts';
import { OVER } from '../job/follow-job.ts';
import { withSession } from '../session.ts';

/** A round under way is left at once: what was masked already is of no use to anybody without this client. */
const GRACE_MS = 10_000;

export const command: Command = {
  usage: 'CONTRACT',
  summary: 'end this organisation’s jobs of a federation; `contract withdraw` takes it out for good',
  options: {},
  words: [1, 1],
  async run({ terminal, ...context }, [word = '']) {
    const stopped = await withSession({ terminal, ...context }, async (session) => {
      const { custodian, controlPlane } = session;
      const { row } = await whichContract(session, word);
      terminal.note(`contract ${row.contract} (${row.name})`);
      const { jobs } = await custodian.federations.show(row.contract);
      const asked = [];
      for (const { job, role } of jobs) {
        const { state } = await controlPlane.job(job);
        if (!OVER.includes(state)) asked.push({ role, ...(await controlPlane.stop(job, GRACE_MS)) });
      }
      return asked.map(({ job, role, state }) => ({ job, role, state }));
    });
    terminal.value({ jobs: stopped });
    if (stopped.length === 0) terminal.line('none of its jobs goes on');
    for (const { job, role } of stopped) terminal.line(`${job} (${role}) is asked to stop`);
  },
};
