// Callers on the network: TLS pinned to the issuer, a token, connections that stay.
import { Agent, request } from 'node:https';

/** Where and as whom to call. */
export interface Caller {
  /** `https://HOST:PORT/NAME/`. */
  readonly address: string;
  readonly issuer: string;
  readonly token?: string;
}

/** One answer; status 0 when the connection broke. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Milliseconds from the first part of the body to the last. */
  readonly spread: number;
}

/** Calls once. */
export function call(caller: Caller, path: string, agent = agentOf(caller), body?: string): Promise<Answer> {
  const headers = {
    ...(caller.token === undefined ? {} : { authorization: `Bearer ${caller.token}` }),
    ...(body === undefined ? {} : { 'content-length': String(body.length) }),
  };
  return new Promise((resolve) => {
    const broken = (error: Error): void => resolve({ status: 0, body: error.message, spread: 0 });
    const outgoing = request(`${caller.address}${path}`, {
      agent,
      headers,
      method: body === undefined ? 'GET' : 'POST',
    });
    outgoing.on('error', broken);
    outgoing.on('response', (response) => {
      let [text, first] = ['', 0];
      response.setEncoding('utf8').on('data', (part: string) => {
        first ||= performance.now();
        text += part;
      });
      response.on('error', broken);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, spread: first === 0 ? 0 : performance.now() - first }),
      );
    });
    outgoing.end(body);
  });
}

/** Connections that are used again. */
export function agentOf({ issuer }: Caller): Agent {
  return new Agent({ keepAlive: true, ca: issuer });
}

/** Calls by four callers, some with a body, until it is stopped; counts answers by status and word. */
export function load(caller: Caller): { stop(): Promise<ReadonlyMap<string, number>> } {
  const counts = new Map<string, number>();
  const agent = agentOf(caller);
  let stopped = false;
  const callers = [0, 1, 2, 3].map(async (number) => {
    while (!stopped) {
      const { status, body } = await call(caller, 'x', agent, number % 2 === 0 ? undefined : 'hi');
      const word = status === 200 ? (JSON.parse(body) as { word: string }).word : body;
      counts.set(`${status} ${word}`, (counts.get(`${status} ${word}`) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(callers);
      agent.destroy();
      return counts;
    },
  };
}
