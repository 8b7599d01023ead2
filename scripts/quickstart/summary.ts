import { join } from 'node:path';
import { CHECKOUT, type House } from '../house/index.ts';
import type { ServingRun } from './serving.ts';
import type { TrainingRun } from './training.ts';
import type { WireReport } from './wire.ts';

/** What the quickstart did. */
export interface QuickstartRun {
  readonly training: TrainingRun;
  readonly serving: ServingRun;
  readonly wire: readonly WireReport[];
  readonly problems: readonly string[];
}

/** What an isolation level leaves open, in one line. */
const NOT_PROTECTED: Readonly<Record<string, string>> = {
  process: 'nothing but a user id of its own: the job can use the network and read what that user may read',
  sandbox: 'a bug in the kernel, and leaks between jobs that share a CPU core',
};

/** What happened at one organisation, what it proves, and what it does not. */
export function summarise({ training: run, serving, wire: reports, problems }: QuickstartRun): string {
  const widest = Math.max(0, ...reports.map(({ party }) => party.length));
  const wire = reports.map(
    (report) =>
      `  ${report.party.padEnd(widest)}  ${report.frames} control frames, ${report.bytes} bytes, ${report.ok ? 'every one decoded and sealed again: equal' : 'DOES NOT VERIFY'}`,
  );
  return `
Result      a logistic regression on 569 patients' records, accuracy ${run.accuracy.toFixed(3)}, committed once by the custodian
Endpoint    the model served and called: ${serving.malignant.length} rows, probabilities of malignant ${serving.malignant.join(', ')}
Isolation   ${run.isolation} (limits: ${run.limits}); not protected: ${NOT_PROTECTED[run.isolation] ?? 'see THREAT-MODEL.md'}
What left   control messages only:
${wire.join('\n')}
${problems.length === 0 ? '' : `Problems    ${problems.join('; ')}\n`}
`;
}

/** The last words of the quickstart: what to try when the house `stays` up. */
export function closing(
  house: House,
  { stays, sites }: { readonly stays: boolean; readonly sites: readonly { readonly house: House }[] },
): string {
  if (stays) return tryNext(house, sites[0]?.house.home ?? house.home);
  return `All is stopped now; its state is in ${house.root}. \`npm run quickstart\` starts it again and leaves it up.\n`;
}

function tryNext(house: House, siteHome: string): string {
  return `Try next, in a second terminal (from this folder):
  export RINGFENCE_HOME=${house.home}
  alias ringfence="node ${join(CHECKOUT, 'apps/cli/bin/ringfence.mjs')}"
  ringfence ps                                     names come from your custodian, states from the control plane
  ringfence launch examples/tabular/job.yaml       the plan first: who could run it, who refuses it and why
  ringfence endpoint ls                            what is served, where callers reach it
  ringfence metrics tabular                        what the job used and reported
  ringfence wire tail --state ${house.root}/agent-1    every message that crossed, readable
  ringfence doctor                                 what to do before this is more than a try (a backup, for one)
  RINGFENCE_HOME=${siteHome} ringfence federation status tumours     as one of the three sites sees it: rounds, epsilon
`;
}
