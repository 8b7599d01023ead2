import { request } from 'node:https';
import { ControlPlaneError } from '../control-plane-error.ts';

/** Where this control plane may fetch from: `HOST` or `HOST:PORT`, each as it stands in a URL, and whom it trusts there. */
export interface FetchLimits {
  readonly hosts: readonly string[];
  /** Authorities to trust there, in PEM; Node's own list where none are given. */
  readonly ca?: readonly string[] | undefined;
}

/** What identity libraries hand to a fetch of ours. */
interface FetchOptions {
  readonly method?: string | undefined;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

/** A fetch that reaches only what an operator listed. */
export type AllowedFetch = (url: string, options?: FetchOptions) => Promise<Response>;

const ANSWER_WITHIN_MS = 5_000;
const LARGEST_ANSWER = 256 * 1024;

/**
 * A fetch for identity providers: https alone, listed hosts alone, no redirect followed, 256 KiB and 5 s at the most. What a member of some
 * organisation names as a provider is else a way to make this process ask whatever it can reach. Rejects with ControlPlaneError `unavailable`.
 */
export function allowedFetch({ hosts, ca }: FetchLimits): AllowedFetch {
  const allowed = new Set(hosts);
  return (text, options = {}) => {
    const url = new URL(text);
    if (url.protocol !== 'https:' || !allowed.has(url.host) || url.username !== '' || url.password !== '')
      return Promise.reject(notAllowed());
    return exchange(url, options, ca);
  };
}

function exchange(
  url: URL,
  { method = 'GET', headers, body, signal }: FetchOptions,
  ca?: readonly string[],
): Promise<Response> {
  const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const stop = signal === null || signal === undefined ? limit : AbortSignal.any([signal, limit]);
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(
        new ControlPlaneError('unavailable', 'the identity provider does not answer', {
          cause,
          next: 'try again later',
        }),
      );
    const asked = request(
      url,
      {
        method,
        headers: Object.fromEntries(new Headers(headers as ConstructorParameters<typeof Headers>[0])),
        signal: stop,
        agent: false,
        ...(ca === undefined ? {} : { ca: [...ca] }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_ANSWER) answer.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        answer.once('error', failed);
        answer.once('end', () => {
          const status = answer.statusCode ?? 502;
          const given = Object.entries(answer.headers).flatMap(([name, value]) =>
            typeof value === 'string' ? [[name, value] as [string, string]] : [],
          );
          const empty = status === 204 || status === 205 || status === 304;
          resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: given }));
        });
      },
    );
    asked.once('error', failed);
    asked.end(textOf(body));
  });
}

function textOf(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  return body instanceof URLSearchParams ? body.toString() : undefined;
}

/** The same for a host that is not listed as for one that does not exist. */
export function notAllowed(): ControlPlaneError {
  return new ControlPlaneError('unavailable', 'this control plane may not fetch from there', {
    next: 'its operator lists hosts of identity providers with --fetch-from HOST',
  });
}
