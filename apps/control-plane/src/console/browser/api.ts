import { keptKey } from './kept-key.ts';
import { signatureHeaders } from './signed-request.ts';

/** The server's no, in its words. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, message: string, next: string | undefined) {
    super(next === undefined ? message : `${message}: ${next}`);
    this.code = code;
  }
}

/** Asks the API of this page's own origin; signed by the session's key where there is one. Throws {@link Refused}. */
export async function ask<Answer>(method: 'GET' | 'POST', path: string, value?: unknown): Promise<Answer> {
  const body = new TextEncoder().encode(value === undefined ? '' : JSON.stringify(value));
  const key = await keptKey();
  const signed = key?.session === undefined ? {} : await signatureHeaders({ method, path, body }, key);
  const answer = await fetch(path, {
    method,
    headers: { ...signed, ...(value === undefined ? {} : { 'content-type': 'application/json' }) },
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    ...(value === undefined ? {} : { body }),
  });
  const said = (await answer.json()) as { error?: { code: string; message: string; next?: string } };
  if (answer.ok) return said as Answer;
  const { code = 'unexpected', message = `the server answered with ${answer.status}`, next } = said.error ?? {};
  throw new Refused(code, message, next);
}
