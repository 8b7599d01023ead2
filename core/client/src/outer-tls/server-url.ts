import { ClientError } from '../error.ts';

/** The origin of a control plane, custodian or relay: `https://host[:port]`; throws ClientError `bad-url`. */
export function parseServerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'https:' || `${url.origin}/` !== url.href)
    throw new ClientError('bad-url', 'a server is named by https://host[:port] alone', {
      next: 'use the URL that the server prints when it starts',
    });
  return url;
}
