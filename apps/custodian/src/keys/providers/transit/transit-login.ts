import type { Clock } from '@ringfence/base';
import { Secret } from '@ringfence/base';
import type { HttpsExchange } from '@ringfence/client/api';
import { z } from 'zod';
import { kekError } from '../../kek-provider.ts';
import { exchangeJson } from '../json-exchange.ts';
import { readSecretFile, textOf } from '../secret-file.ts';

/** Who the custodian is at Vault or OpenBao: a token that something else renews, or an AppRole. */
export type TransitCredentials =
  | { readonly tokenFile: string }
  | { readonly appRole: { readonly mount: string; readonly roleId: string; readonly secretIdFile: string } };

/** Gives the token of each request. */
export interface TransitLogin {
  token(signal: AbortSignal): Promise<Secret>;
  /** The server did not take the token: true when another one is worth a try. */
  refused(): boolean;
}

const answer = z.object({ auth: z.object({ client_token: z.string().min(1), lease_duration: z.int().nonnegative() }) });

/** The login of `credentials`; a token of an AppRole is used for four fifths of its lease. */
export function transitLogin(
  credentials: TransitCredentials,
  parts: {
    readonly exchange: HttpsExchange;
    readonly headers: Readonly<Record<string, string>>;
    readonly clock: Clock;
  },
): TransitLogin {
  if ('tokenFile' in credentials)
    return { token: async () => readSecretFile(credentials.tokenFile), refused: () => false };
  const { mount, roleId, secretIdFile } = credentials.appRole;
  const { exchange, headers, clock } = parts;
  let held: { readonly token: Secret; readonly until: number } | undefined;
  return {
    async token(signal) {
      if (held !== undefined && clock.monotonic() < held.until) return held.token;
      const body = { role_id: roleId, secret_id: textOf(readSecretFile(secretIdFile)) };
      const target = `/v1/auth/${mount}/login`;
      const { status, json } = await exchangeJson(exchange, { method: 'POST', target, headers, body, signal });
      const parsed = answer.safeParse(json);
      if (status !== 200 || !parsed.success) throw kekError('kek-denied');
      const { client_token: text, lease_duration: seconds } = parsed.data.auth;
      // A lease of 0 does not end by itself.
      const until = seconds === 0 ? Infinity : clock.monotonic() + seconds * 800;
      held = { token: new Secret(Buffer.from(text)), until };
      return held.token;
    },
    refused() {
      const worth = held !== undefined;
      held = undefined;
      return worth;
    },
  };
}
