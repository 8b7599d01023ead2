import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { table } from '../terminal.ts';
import { addressesOf } from './which-endpoint.ts';

/** Shows the endpoint called `name` with its replicas; false when there is none. */
export async function showEndpoint(
  { terminal }: CommandContext,
  { custodian }: Pick<Session, 'custodian'>,
  name: string,
): Promise<boolean> {
  const row = (await custodian.endpoints()).endpoints.find((endpoint) => endpoint.name === name);
  if (row === undefined) return false;
  const { endpoint, revision, ready, coming, scale, replicas } = row;
  terminal.value(row);
  const next = coming === null ? '' : `, revision ${coming} is coming`;
  const bounds = `${scale.min} to ${scale.max} replicas${scale.manual ? ' by hand' : ''}`;
  terminal.line(`${name} (${endpoint}): revision ${revision}${ready ? '' : ' is coming'}${next}, ${bounds}`);
  for (const address of addressesOf(row)) terminal.line(`  ${address}`);
  const cells = replicas.map((replica) => [String(replica.revision), replica.state, replica.job]);
  terminal.line(table(['REVISION', 'REPLICA', 'JOB'], cells));
  return true;
}
