// A program of its own: Google's client takes the authority of a server from NODE_EXTRA_CA_CERTS alone. Reads an order as JSON from its
// input, carries it out with @google-cloud/kms over REST, and writes what came of it.
import { text } from 'node:stream/consumers';
import { KeyManagementServiceClient } from '@google-cloud/kms';
import { crc32c } from './crc32c.ts';

/** What the client is to do; bytes in base64. */
export interface GoogleClientOrder {
  readonly port: number;
  readonly credentialsFile: string;
  readonly version: string;
  readonly aad: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

/** What came of it: the other's ciphertext opened, its own ciphertext, and how the key looks to it. */
export interface GoogleClientResult {
  readonly opened: string;
  readonly made: string;
  readonly verified: boolean;
  readonly primary: string;
}

const base64 = (bytes: unknown): string => Buffer.from((bytes ?? []) as Uint8Array).toString('base64');
const order = JSON.parse(await text(process.stdin)) as GoogleClientOrder;
const client = new KeyManagementServiceClient({
  apiEndpoint: '127.0.0.1',
  port: order.port,
  keyFilename: order.credentialsFile,
  fallback: true,
});
const key = order.version.replace(/\/cryptoKeyVersions\/.*$/, '');
const additionalAuthenticatedData = Buffer.from(order.aad, 'base64');
const [decrypted] = await client.decrypt({
  name: key,
  ciphertext: Buffer.from(order.ciphertext, 'base64'),
  additionalAuthenticatedData,
});
const plaintext = Buffer.from(order.plaintext, 'base64');
const [encrypted] = await client.encrypt({
  name: order.version,
  plaintext,
  plaintextCrc32c: { value: crc32c(plaintext) },
  additionalAuthenticatedData,
});
const [seen] = await client.getCryptoKey({ name: key });
const result: GoogleClientResult = {
  opened: base64(decrypted.plaintext),
  made: base64(encrypted.ciphertext),
  verified: encrypted.verifiedPlaintextCrc32c === true,
  primary: seen.primary?.name ?? '',
};
process.stdout.write(JSON.stringify(result));
await client.close();
