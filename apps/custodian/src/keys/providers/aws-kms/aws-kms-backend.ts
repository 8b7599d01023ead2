import type { Agent } from 'node:https';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
  type KeyMetadata,
} from '@aws-sdk/client-kms';
import { Secret, type Clock } from '@ringfence/base';
import { httpsAgent } from '@ringfence/client/api';
import type { Destruction, KekAad } from '../../kek-provider.ts';
import { kekError } from '../../kek-provider.ts';
import { isKekError } from '../is-kek-error.ts';
import type { KekBackend } from '../kek-backend.ts';
import { credentialsFromFile } from './aws-credentials.ts';
import { awsErrorCode, isInvalidState } from './aws-kms-error.ts';

/** A symmetric key of AWS KMS. */
export interface AwsKmsKey {
  readonly region: string;
  /** The endpoint's URL; the region's public one unless told. */
  readonly endpoint: string | undefined;
  /** `alias/NAME`, which can be rotated from here, or the ARN of one key. */
  readonly key: string;
  /** Without it: the client's own chain (instance role, web identity, environment). */
  readonly credentialsFile: string | undefined;
  readonly caFile: string | undefined;
  readonly proxy: string | undefined;
  /** Whether deletion is scheduled when the custodian is asked to destroy a version. */
  readonly mayDestroy: boolean;
  /** Days that AWS waits before it deletes: 7 to 30. */
  readonly deletionDays: number;
}

/**
 * AWS KMS through its official client. A version is a key, named by its ARN, and the alias points to the current one: AWS's own rotation of
 * key material destroys nothing, so it cannot stand for versions that can be destroyed.
 */
export class AwsKmsBackend implements KekBackend {
  readonly kind = 'aws-kms';
  readonly #key: AwsKmsKey;
  readonly #clock: Clock;
  #opened: Promise<{ client: KMSClient; agent: Agent }> | undefined;

  constructor(key: AwsKmsKey, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  async wrap(...[plaintext, aad, abortSignal]: Parameters<KekBackend['wrap']>) {
    const client = await this.#client();
    const input = { KeyId: this.#key.key, Plaintext: plaintext.expose(), EncryptionContext: contextOf(aad) };
    const made = await this.#sent(() => client.send(new EncryptCommand(input), { abortSignal }), abortSignal);
    if (made.CiphertextBlob === undefined || made.KeyId === undefined) throw kekError('kek-unavailable');
    return { keyVersion: made.KeyId, wrapped: made.CiphertextBlob };
  }

  async unwrap(...[{ keyVersion, wrapped }, aad, abortSignal]: Parameters<KekBackend['unwrap']>): Promise<Secret> {
    const client = await this.#client();
    const input = { KeyId: arnOf(keyVersion), CiphertextBlob: wrapped, EncryptionContext: contextOf(aad) };
    const opened = await this.#sent(
      () => client.send(new DecryptCommand(input), { abortSignal }),
      abortSignal,
      keyVersion,
    );
    if (opened.Plaintext === undefined || opened.KeyId !== keyVersion) throw kekError('kek-tampered');
    return new Secret(opened.Plaintext);
  }

  /** Makes a key with the policy of the current one and points the alias to it. */
  async rotate(abortSignal: AbortSignal): Promise<string> {
    const alias = /(?:^|:)(alias\/[\w/-]+)$/.exec(this.#key.key)?.[1];
    if (alias === undefined) throw kekError('kek-denied');
    const client = await this.#client();
    const current = await this.#describe(this.#key.key, abortSignal);
    const { Policy } = await this.#sent(
      () => client.send(new GetKeyPolicyCommand({ KeyId: current.Arn, PolicyName: 'default' }), { abortSignal }),
      abortSignal,
    );
    const made = await this.#sent(
      () => client.send(new CreateKeyCommand({ Policy, Description: current.Description }), { abortSignal }),
      abortSignal,
    );
    const arn = made.KeyMetadata?.Arn;
    if (arn === undefined) throw kekError('kek-unavailable');
    try {
      await client.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: arn }), { abortSignal });
      return arn;
    } catch (error) {
      // Nothing was wrapped under it yet, and nothing will be.
      await client.send(new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: 7 })).catch(() => undefined);
      throw kekError(awsErrorCode(error), error);
    }
  }

  async destroy(keyVersion: string, abortSignal: AbortSignal): Promise<Destruction> {
    if (!this.#key.mayDestroy) return { state: 'left-to-owner' };
    const KeyId = arnOf(keyVersion);
    const client = await this.#client();
    try {
      const input = { KeyId, PendingWindowInDays: this.#key.deletionDays };
      const { DeletionDate } = await client.send(new ScheduleKeyDeletionCommand(input), { abortSignal });
      return scheduled(DeletionDate);
    } catch (error) {
      if (isInvalidState(error)) return scheduled((await this.#describe(KeyId, abortSignal)).DeletionDate);
      if (awsErrorCode(error) === 'kek-destroyed') return { state: 'destroyed' };
      throw kekError(awsErrorCode(error), error);
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    opened?.client.destroy();
    opened?.agent.destroy();
  }

  async #describe(KeyId: string, abortSignal: AbortSignal): Promise<KeyMetadata> {
    const client = await this.#client();
    const { KeyMetadata } = await this.#sent(
      () => client.send(new DescribeKeyCommand({ KeyId }), { abortSignal }),
      abortSignal,
    );
    if (KeyMetadata === undefined) throw kekError('kek-unavailable');
    return KeyMetadata;
  }

  /** What `send` answers; a key in the wrong state is destroyed when it waits for its deletion. */
  async #sent<T>(send: () => Promise<T>, signal: AbortSignal, KeyId = this.#key.key): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (isKekError(error)) throw error;
      if (!isInvalidState(error)) throw kekError(awsErrorCode(error), error);
      const { KeyState } = await this.#describe(KeyId, signal);
      throw kekError(
        KeyState?.startsWith('Pending') === true && KeyState !== 'PendingImport' ? 'kek-destroyed' : 'kek-denied',
        error,
      );
    }
  }

  async #client(): Promise<KMSClient> {
    this.#opened ??= this.#open();
    try {
      return (await this.#opened).client;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  async #open(): Promise<{ client: KMSClient; agent: Agent }> {
    const { region, credentialsFile, caFile, proxy } = this.#key;
    const endpoint = this.#key.endpoint ?? `https://kms.${region}.amazonaws.com`;
    const agent = await httpsAgent({ url: endpoint, caFile, proxy, clock: this.#clock });
    const client = new KMSClient({
      region,
      endpoint,
      // Tries and time are counted for all providers alike, by their budget.
      maxAttempts: 1,
      requestHandler: { httpsAgent: agent },
      ...(credentialsFile === undefined ? {} : { credentials: credentialsFromFile(credentialsFile, this.#clock) }),
    });
    return { client, agent };
  }
}

/** AWS authenticates it with the ciphertext, and writes it into CloudTrail in the clear: it holds random ids only. */
function contextOf({ org, project, object, version }: KekAad): Record<string, string> {
  return { org, project, object, version: String(version) };
}

function arnOf(keyVersion: string): string {
  if (!/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]{1,64}$/.test(keyVersion)) throw kekError('kek-tampered');
  return keyVersion;
}

function scheduled(at: Date | undefined): Destruction {
  if (at === undefined) throw kekError('kek-denied');
  return { state: 'scheduled', at: at.getTime() };
}
