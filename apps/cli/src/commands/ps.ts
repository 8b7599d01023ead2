import type { Command } from '../command.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';
import { formatDuration } from '@ringfence/base';

export const command: Command = {
  usage: '',
  summary: 'jobs: names from the custodian, states from the control plane',
  options: {},
  words: [0, 0],
  async run(context) {
    const jobs = await withSession(context, async ({ custodian, controlPlane }) => {
      const [named, seen] = await Promise.all([custodian.jobs(), controlPlane.jobs()]);
      return seen.map((view) => ({ ...view, name: named.find(({ job }) => job === view.job)?.name ?? null }));
    });
    context.terminal.value({ jobs });
    const now = context.clock.now();
    const cells = jobs.map(({ name, type, state, sensitivity, submittedAt, job }) => [
      name ?? '?',
      type,
      state,
      sensitivity,
      `${formatDuration(Math.max(0, now - submittedAt))} ago`,
      job,
    ]);
    context.terminal.line(table(['NAME', 'TYPE', 'STATE', 'LABEL', 'ORDERED', 'ID'], cells));
  },
};
