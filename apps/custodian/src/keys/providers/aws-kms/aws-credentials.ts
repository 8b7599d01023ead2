import { jsonOf, type Clock } from '@ringfence/base';
import { z } from 'zod';
import { kekError } from '../../kek-provider.ts';
import { readSecretFile } from '../secret-file.ts';

/** What the AWS client asks its credentials for. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration: Date;
}

const file = z.strictObject({
  accessKeyId: z.string().min(16).max(128),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1).optional(),
});
/** The client takes a Date. */
const instant = z.coerce.date();
const READ_AGAIN_MS = 10 * 60_000;

/** Credentials of a JSON file, read again every few minutes. Throws `kek-denied`. */
export function credentialsFromFile(path: string, clock: Clock): () => Promise<AwsCredentials> {
  return async () => {
    const parsed = file.safeParse(jsonOf(readSecretFile(path).expose()));
    if (!parsed.success) throw kekError('kek-denied');
    const { accessKeyId, secretAccessKey, sessionToken } = parsed.data;
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      expiration: instant.parse(clock.now() + READ_AGAIN_MS),
    };
  };
}
