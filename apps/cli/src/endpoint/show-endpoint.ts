import type { EndpointRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { whichJob } from '../job/which-job.ts';
import type { Session } from '../session.ts';
import { table } from '../terminal.ts';
import { addressesOf } from './which-endpoint.ts';
import { isGivenUp, notReadyLines, whyNotReady } from './why-not-ready.ts';

/** Shows an endpoint with its replicas, and why they are not ready. */
export async function showEndpoint(context: CommandContext, session: Session, row: EndpointRow): Promise<void> {
  const { terminal, clock } = context;
  const notReady = await whyNotReady(context, session, await replicasToExplain(session, row));
  terminal.value({ ...row, notReady });
  terminal.line(headOf(row));
  for (const address of addressesOf(row)) terminal.line(`  ${address}`);
  const cells = row.replicas.map((replica) => [String(replica.revision), replica.state, replica.job]);
  if (cells.length > 0) terminal.line(table(['REVISION', 'REPLICA', 'JOB'], cells));
  if (notReady.length > 0) terminal.line('not ready:');
  for (const reason of notReady) for (const line of notReadyLines(reason, clock.now())) terminal.line(line);
  if (row.gateways.length === 0)
    terminal.line('no gateway: start an agent with --gateway, then `ringfence endpoint gateway add AGENT`');
}

function headOf(row: EndpointRow): string {
  const { name, endpoint, revision, ready, coming, scale } = row;
  const bounds = `${scale.min} to ${scale.max} replicas${scale.manual ? ' by hand' : ''}`;
  if (isGivenUp(row)) return `${name} (${endpoint}): given up, no replica became ready; launch its file again`;
  const next = coming === null ? '' : `, revision ${coming} is coming`;
  const rests = scale.manual && scale.max === 0 ? '; callers get 503 (scaled-to-zero)' : '';
  return `${name} (${endpoint}): revision ${revision}${ready ? '' : ' is coming'}${next}, ${bounds}${rests}`;
}

/** The custodian forgets the jobs of an endpoint that was given up; its newest one still has its name. */
async function replicasToExplain(session: Session, row: EndpointRow): Promise<EndpointRow['replicas']> {
  if (row.replicas.length > 0 || !isGivenUp(row)) return row.replicas;
  try {
    return [{ job: await whichJob(session, row.name), revision: row.revision, state: 'gone' }];
  } catch (error) {
    if (error instanceof CliError && error.code === 'not-found') return [];
    throw error;
  }
}
