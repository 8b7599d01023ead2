import { Readable } from 'node:stream';
import { ClientError } from '@ringfence/client/error';
import { streamPayload, type PayloadRequest, type StreamedResponse } from '@ringfence/client/payload-link';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import type { EndpointRow } from '@ringfence/protocol/payload';
import { createLink } from '../home/link.ts';
import type { Session } from '../session.ts';
import { agentsWord, NOT_A_GATEWAY } from './agents-word.ts';
import { whichEndpoint } from './which-endpoint.ts';
import { isGivenUp } from './why-not-ready.ts';

/** Nothing was sent: another gateway may be tried. */
const UNREACHED: readonly ClientError['code'][] = [
  'unreachable',
  'peer-offline',
  'peer-busy',
  'peer-silent',
  'link-refused',
];

/** One call of an endpoint. */
export interface EndpointCall {
  readonly name: string;
  readonly path: string;
  readonly method: PayloadRequest['method'];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/**
 * Calls an endpoint over a payload link to a gateway's agent, on the LAN or by the relay, and hands the answer to `use` as it comes. A gateway that
 * cannot be reached is passed over. Throws CliError `no-gateway`.
 */
export async function callEndpoint(
  context: CommandContext,
  session: Session,
  { name, path, method, headers, body }: EndpointCall,
  use: (answer: StreamedResponse) => Promise<void>,
): Promise<void> {
  const { row } = await whichEndpoint(session, name);
  if (isHeld(row)) context.terminal.note(`no replica of ${name} is ready: its gateway holds the call until one is`);
  let failed: ClientError | undefined;
  let plainAgents = 0;
  for (const route of row.gateways.flatMap(({ routes }) => routes)) {
    const link = createLink({ route, identity: session.identity, clock: context.clock });
    try {
      const answer = await streamPayload(link, {
        method,
        path: `/v1/endpoints/${encodeURIComponent(name)}${path}`,
        headers,
        // A held request waits for a replica that starts, and a model may think before it speaks.
        idleWithin: 'unlimited',
        ...(body === undefined ? {} : { body: { stream: Readable.from([body]), length: body.length } }),
      });
      if (agentsWord(answer) !== NOT_A_GATEWAY) return await use(answer);
      answer.body.destroy();
      plainAgents += 1;
    } catch (error) {
      if (!(error instanceof ClientError) || !UNREACHED.includes(error.code)) throw error;
      failed = error;
    } finally {
      link.destroy();
    }
  }
  throw noGateway(plainAgents, failed);
}

/** Whether a call waits: nothing is ready, and nobody rests the endpoint by hand or gave it up. */
function isHeld(row: EndpointRow): boolean {
  const { replicas, gateways, scale } = row;
  const rests = scale.manual && scale.max === 0;
  return gateways.length > 0 && !rests && !isGivenUp(row) && !replicas.some(({ state }) => state === 'ready');
}

function noGateway(plainAgents: number, cause: ClientError | undefined): CliError {
  const next = 'start an agent with --gateway, then `ringfence endpoint gateway add AGENT`';
  if (plainAgents === 0)
    return new CliError(
      'no-gateway',
      cause === undefined ? 'no gateway serves callers yet' : 'no gateway can be reached',
      {
        cause,
        next,
      },
    );
  const others = cause === undefined ? '' : ', and no other gateway can be reached';
  return new CliError('no-gateway', `no agent that may be a gateway was started with --gateway${others}`, {
    cause,
    next: 'start one of them again with --gateway; `ringfence endpoint gateway rm AGENT` takes back those that are none',
  });
}
