import { ClientError } from '@ringfence/client/error';
import { requestPayload, type StreamedResponse } from '@ringfence/client/payload-link';
import type { AgentId } from '@ringfence/base';
import { REFUSAL_HEADER } from '@ringfence/protocol/payload';
import type { CommandContext } from '../command.ts';
import { withAgent } from '../job/agent-client.ts';
import type { Session } from '../session.ts';

/** What an agent that was not started with `--gateway` says. */
export const NOT_A_GATEWAY = 'not-a-gateway';

/** Why a gateway, or an agent that is none, answered instead of the endpoint; undefined for an endpoint's answer. */
export function agentsWord({ headers }: Pick<StreamedResponse, 'headers'>): string | undefined {
  const word = headers[REFUSAL_HEADER];
  return typeof word === 'string' ? word : undefined;
}

/** Whether an agent was started with `--gateway`; undefined, and a note, while it cannot be asked. */
export async function wasStartedAsGateway(
  context: CommandContext,
  session: Session,
  agent: AgentId,
): Promise<boolean | undefined> {
  try {
    const path = '/v1/gateway/metrics';
    return await withAgent(context, session, agent, async (link) => {
      const answer = await requestPayload(link, { method: 'GET', path });
      return agentsWord(answer) !== NOT_A_GATEWAY;
    });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    context.terminal.note(`the agent cannot be asked whether it was started with --gateway: ${error.message}`);
    return undefined;
  }
}
