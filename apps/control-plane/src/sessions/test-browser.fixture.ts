import assert from 'node:assert/strict';
import {
  canonicalBytes,
  jsonOf,
  systemRng,
  toBase64Url,
  type Clock,
  type MemberId,
  type SessionId,
} from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { recoveryCodesMade, signedIn, signRequest, totpBegun, type MemberInvited } from '@ringfence/protocol/api';
import { TOTP } from 'otpauth';
import { exchangeRaw, type RawRequest } from '../http/raw-request.fixture.ts';
import type { Target } from '../organisation.fixture.ts';

/** An answer as a browser sees it. */
export interface Seen {
  readonly status: number;
  readonly value: unknown;
  /** The refusal's code. */
  readonly code: string | undefined;
  readonly text: string;
}

/** What differs from what an honest browser sends. */
export interface Dishonest {
  readonly cookie?: string | undefined;
  readonly key?: SigningKey;
  readonly as?: SessionId;
  readonly headers?: Readonly<Record<string, string>>;
  readonly createdAgo?: number;
}

const PASSWORD = 'seven quiet lamps over water';

/** A browser: its key, its cookie, and what its page would send. */
export class TestBrowser {
  readonly #target: Target;
  readonly #clock: Clock;
  key = SigningKey.generate(systemRng);
  cookie = '';
  session: SessionId | undefined;
  member: MemberId | undefined;
  password = PASSWORD;
  signInName = '';
  totpUri = '';
  codes: readonly string[] = [];

  constructor(target: Target, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Asks without a signature, as on the sign-in page. */
  async knock(path: string, value: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    return this.#send({ method: 'POST', path, body: Buffer.from(JSON.stringify(value)), headers });
  }

  /** Asks with cookie and signature. */
  async ask(method: 'GET' | 'POST', path: string, value?: unknown, dishonest: Dishonest = {}): Promise<Seen> {
    return this.#send(this.request(method, path, value, dishonest));
  }

  /** The bytes of {@link ask}. */
  request(method: 'GET' | 'POST', path: string, value?: unknown, dishonest: Dishonest = {}): RawRequest {
    const body = value === undefined ? new Uint8Array() : canonicalBytes(value);
    const signer = dishonest.as ?? this.session ?? assert.fail('nobody is signed in');
    const headers = signRequest({ method, path, query: '?', body }, dishonest.key ?? this.key, {
      created: Math.floor(this.#clock.now() / 1000) - (dishonest.createdAgo ?? 0),
      nonce: toBase64Url(systemRng.bytes(16)),
      signer,
    });
    const cookie = 'cookie' in dishonest ? dishonest.cookie : this.cookie;
    return {
      method,
      path,
      headers: { ...headers, ...(cookie === undefined ? {} : { cookie }), ...dishonest.headers },
      ...(value === undefined ? {} : { body }),
    };
  }

  /** Comes in by an invitation. */
  async accept(invited: MemberInvited): Promise<void> {
    this.signInName = invited.signInName;
    const { secret } = invited;
    this.isIn(await this.knock('/v1/sign-in/invitation', { secret, publicKey: this.key.publicKey }));
  }

  /** Sets a password, an authenticator and recovery codes. */
  async enrol(): Promise<void> {
    assert.equal((await this.ask('POST', '/v1/account/password', { password: this.password })).status, 200);
    const begun = await this.ask('POST', '/v1/account/totp', {});
    this.totpUri = totpBegun.parse(begun.value).uri;
    const confirmed = await this.ask('POST', '/v1/account/totp/confirm', { code: this.code() });
    assert.equal(confirmed.status, 200, confirmed.text);
    const made = await this.ask('POST', '/v1/account/recovery-codes', {});
    this.codes = recoveryCodesMade.parse(made.value).codes;
  }

  /** What the authenticator shows now. */
  code(): string {
    const secret = new URL(this.totpUri).searchParams.get('secret') ?? assert.fail('the URI has a secret');
    return new TOTP({ secret }).generate({ timestamp: this.#clock.now() });
  }

  /** Signs in anew with a fresh key: by the authenticator, or with what is told. */
  async signIn(change: Record<string, unknown> = {}): Promise<Seen> {
    this.key = SigningKey.generate(systemRng);
    const second = { kind: 'totp', code: this.code() };
    const { signInName, password } = this;
    const body = { signInName, password, second, publicKey: this.key.publicKey, ...change };
    const seen = await this.knock('/v1/sign-in/password', body);
    if (seen.status === 200) this.isIn(seen);
    return seen;
  }

  /** Takes the session that an answer began. */
  isIn(seen: Seen): void {
    assert.equal(seen.status, 200, seen.text);
    const { session, member } = signedIn.parse(seen.value);
    this.session = session;
    this.member = member;
  }

  async #send(request: RawRequest): Promise<Seen> {
    const { status, text, headers } = await exchangeRaw(this.#target, request);
    const [set] = headers['set-cookie'] ?? [];
    if (set !== undefined) this.cookie = set.split(';')[0] ?? '';
    const value = jsonOf(Buffer.from(text));
    return { status, text, value, code: (value as { error?: { code?: string } }).error?.code };
  }
}
