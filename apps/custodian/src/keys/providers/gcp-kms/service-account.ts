import { jsonOf, Secret, type Clock } from '@ringfence/base';
import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { kekError } from '../../kek-provider.ts';
import { readSecretFile } from '../secret-file.ts';

const file = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(3).max(320),
  private_key_id: z.string().min(1).max(128),
  private_key: z.string().min(1),
});

const AUDIENCE = 'https://cloudkms.googleapis.com/';
const TOKEN_SECONDS = 3_600;
const USED_FOR_MS = 45 * 60_000;

/**
 * Bearer tokens that a service account signs itself (Google, "self-signed JWT": no token is fetched), RS256 for the audience of Cloud KMS,
 * from the key file as Google gives it out. A token lasts an hour and is used for 45 minutes. Throws `kek-denied`.
 */
export function serviceAccountTokens(path: string, clock: Clock): { token(): Promise<Secret>; forget(): void } {
  let held: { readonly token: Promise<Secret>; readonly until: number } | undefined;
  return {
    token() {
      if (held === undefined || clock.monotonic() >= held.until)
        held = { token: signed(path, clock), until: clock.monotonic() + USED_FOR_MS };
      const { token } = held;
      token.catch(() => (held = undefined));
      return token;
    },
    forget() {
      held = undefined;
    },
  };
}

async function signed(path: string, clock: Clock): Promise<Secret> {
  const parsed = file.safeParse(jsonOf(readSecretFile(path).expose()));
  if (!parsed.success) throw kekError('kek-denied');
  const { client_email: account, private_key_id: kid, private_key: pem } = parsed.data;
  const now = Math.floor(clock.now() / 1_000);
  try {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
      .setIssuer(account)
      .setSubject(account)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .sign(await importPKCS8(pem, 'RS256'));
    return new Secret(Buffer.from(token));
  } catch {
    // The library's message may quote the key.
    throw kekError('kek-denied');
  }
}
