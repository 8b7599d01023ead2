import { requestPayload } from '@ringfence/client/payload-link';
import { ClientError } from '@ringfence/client/error';
import { RingfenceError, type AgentId } from '@ringfence/base';
import { gatewayMetrics, type EndpointCounts, type EndpointRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { withAgent } from '../job/agent-client.ts';
import type { Session } from '../session.ts';

/** What one gateway counted of an endpoint since it started. */
export interface GatewayCounts {
  readonly agent: AgentId;
  readonly counts: EndpointCounts;
}

/** What each gateway counted of an endpoint; one that cannot be asked is noted. Throws CliError `no-gateway` when none can. */
export async function readGatewayCounts(
  context: CommandContext,
  session: Session,
  { endpoint, gateways }: Pick<EndpointRow, 'endpoint' | 'gateways'>,
): Promise<GatewayCounts[]> {
  const found: GatewayCounts[] = [];
  for (const { agent } of gateways) {
    try {
      const counts = (await countsAt(context, session, agent)).find((each) => each.endpoint === endpoint);
      if (counts !== undefined) found.push({ agent, counts });
    } catch (error) {
      if (!(error instanceof RingfenceError)) throw error;
      context.terminal.note(`gateway ${agent} cannot be asked: ${error.message}`);
    }
  }
  if (found.length > 0) return found;
  throw new CliError('no-gateway', 'no gateway could say what it counted of this endpoint', {
    next: 'see `ringfence endpoint ls`; a gateway is an agent with --gateway, after `ringfence endpoint gateway add AGENT`',
  });
}

async function countsAt(context: CommandContext, session: Session, agent: AgentId): Promise<readonly EndpointCounts[]> {
  const answer = await withAgent(context, session, agent, (link) =>
    requestPayload(link, { method: 'GET', path: '/v1/gateway/metrics' }),
  );
  if (answer.status === 200) return gatewayMetrics.parse(answer.body).endpoints;
  throw new ClientError('bad-response', `it answered with status ${answer.status}`, { next: 'is it a gateway still?' });
}

/** The counts of several gateways as one. */
export function sumOf([first, ...others]: readonly [EndpointCounts, ...EndpointCounts[]]): EndpointCounts {
  return others.reduce(
    (sum, next) => ({
      ...sum,
      answers: added(sum.answers, next.answers),
      refusals: added(sum.refusals, next.refusals),
      latency: sum.latency.map((count, index) => count + (next.latency[index] ?? 0)),
      inFlight: sum.inFlight + next.inFlight,
      held: sum.held + next.held,
      latencyMsSum: sum.latencyMsSum + next.latencyMsSum,
      tokensIn: sum.tokensIn + next.tokensIn,
      tokensOut: sum.tokensOut + next.tokensOut,
    }),
    first,
  );
}

function added<T extends Readonly<Record<string, number>>>(a: T, b: T): T {
  return Object.fromEntries(Object.entries(a).map(([key, count]) => [key, count + (b[key] ?? 0)])) as T;
}
