import { readFileSync } from 'node:fs';
import { fromUtf8 } from '@ringfence/base';
import {
  fingerprintWords,
  signEnvelope,
  verifyEnvelope,
  type Envelope,
  type SigningPublicKey,
} from '@ringfence/crypto/sign';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { parseEnvelope } from '@ringfence/keyring';
import { signKey, tlsKey } from '@ringfence/protocol';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { profileSchema, type DeviceKeys, type Profile } from './profile.ts';

const REQUEST_TYPE = 'application/vnd.ringfence.device-request.v1+json';
const requestSchema = z.strictObject({ v: z.literal(1), sign: signKey, tls: tlsKey });
const welcomeSchema = profileSchema.omit({ seen: true });

/** The public keys of a device that wants into a keyring, signed with the first of them: its words stand for both. */
export function deviceRequest({ sign, tls }: DeviceKeys): Envelope {
  return signEnvelope(REQUEST_TYPE, { v: 1, sign: sign.publicKey, tls: tls.publicKey }, [sign]);
}

/** The keys in a request file, whose words are those that somebody read from the new device. Throws CliError `bad-file`, `not-trusted`. */
export function readDeviceRequest(
  path: string,
  words: string,
): { readonly sign: SigningPublicKey; readonly tls: TlsPublicKey } {
  const { sign, tls } = inFile(path, (value) => {
    const envelope = parseEnvelope(value);
    const claimed = requestSchema.parse(JSON.parse(Buffer.from(envelope.payload, 'base64').toString()));
    const signed = verifyEnvelope(envelope, REQUEST_TYPE, [claimed.sign]);
    return requestSchema.parse(JSON.parse(fromUtf8(signed)));
  });
  assertWords(sign, words, 'this request is not of the device whose words these are');
  return { sign, tls };
}

/** What a new device has to know of its organisation; no secrets. */
export function welcomeOf(profile: Profile, device: Profile['device']): Omit<Profile, 'seen'> {
  return z.object(welcomeSchema.shape).parse({ ...profile, device });
}

/** The profile that a welcome file makes, for an organisation whose root has these words. Throws CliError `bad-file`, `not-trusted`. */
export function readWelcome(path: string, words: string): Profile {
  const profile = inFile(path, (value) => welcomeSchema.parse(value));
  assertWords(profile.orgRoot, words, 'the file is about another organisation than the one whose root these words are');
  return profile;
}

function assertWords(key: SigningPublicKey, words: string, message: string): void {
  if (fingerprintWords(key) === words.trim().toLowerCase()) return;
  throw new CliError('not-trusted', message, { next: 'compare the words again, over a way that is not the file’s' });
}

function inFile<T>(path: string, read: (value: unknown) => T): T {
  try {
    return read(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new CliError('bad-file', `${path} is missing, damaged or another file`, {
      cause,
      next: 'take the file as the command that made it wrote it',
    });
  }
}
