import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { canonicalBytes, systemRng, toBase64Url, type Clock } from '@ringfence/base';
import { signRequest } from '@ringfence/protocol/api';
import type { Target, TestOrganisation } from '../organisation.fixture.ts';

/** A request, byte for byte. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Sends a request as it is. */
export async function sendRaw(target: Target, request: RawRequest): Promise<{ status: number; text: string }> {
  const { status, text } = await exchangeRaw(target, request);
  return { status, text };
}

/** Sends a request as it is; the answer with its headers. */
export function exchangeRaw(
  { ready }: Target,
  { method, path, headers, body }: RawRequest,
): Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(new URL(path, ready.url), {
      method,
      ca: readFileSync(ready['ca_file'] ?? ''),
      agent: false,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
        ...headers,
      },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(parts).toString(),
          headers: response.headers,
        }),
      );
    });
    outgoing.end(body);
  });
}

/** A request with the signature of the organisation's device; `edit` changes what is signed. */
export function signedRaw(
  house: Pick<TestOrganisation, 'device'>,
  clock: Clock,
  call: { method: 'GET' | 'POST'; path: string; value?: unknown },
  edit: { readonly createdAgo?: number; readonly as?: TestOrganisation['device']['id'] } = {},
): RawRequest {
  const body = call.value === undefined ? new Uint8Array() : canonicalBytes(call.value);
  const parameters = {
    created: Math.floor(clock.now() / 1000) - (edit.createdAgo ?? 0),
    nonce: toBase64Url(systemRng.bytes(16)),
    signer: edit.as ?? house.device.id,
  };
  const headers = signRequest(
    { method: call.method, path: call.path, query: '?', body },
    house.device.sign,
    parameters,
  );
  return {
    method: call.method,
    path: call.path,
    headers: { ...headers },
    ...(call.value === undefined ? {} : { body }),
  };
}
