import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { fromUtf8, toBase64Url, utf8 } from '@ringfence/base';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { NewCredential, SignedChallenge } from '@ringfence/protocol/api';
import type { RelyingParty } from './relying-party.ts';

const FLAG = { UP: 1, UV: 4, BE: 8, BS: 16, AT: 64 } as const;
const AAGUID = Buffer.alloc(16);

/** How a use differs from an honest one. */
export interface Bent {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly verified?: boolean;
  readonly counter?: number;
  readonly userHandle?: string | null;
  readonly crossOrigin?: boolean;
  readonly fmt?: string;
}

/** One passkey of an authenticator in software (WebAuthn §6), with levers that a real one does not have. */
export class SoftwarePasskey {
  readonly id = toBase64Url(randomBytes(32));
  readonly #key: KeyObject;
  readonly #cose: Uint8Array;
  readonly #party: RelyingParty;
  readonly #copied: boolean;
  #member = '';
  #counter: number;

  /** `counter` 0 stays 0, as of passkeys that their platform copies. */
  constructor(party: RelyingParty, { counter = 1, copied = false }: { counter?: number; copied?: boolean } = {}) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.#key = privateKey;
    this.#party = party;
    this.#copied = copied;
    this.#counter = counter;
    const coordinate = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64url'));
    // COSE_Key: kty EC2, alg ES256, crv P-256 (RFC 9053 §7.1).
    this.#cose = isoCBOR.encode(
      new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, coordinate(x)],
        [-3, coordinate(y)],
      ]),
    );
  }

  /** `navigator.credentials.create` for `options`, as the control plane sends them. */
  create(options: { challenge: string; user: { id: string } }, bent: Bent = {}): NewCredential {
    this.#member ||= fromUtf8(Buffer.from(options.user.id, 'base64url'));
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const authData = Buffer.concat([this.#head(bent, FLAG.AT), AAGUID, length, id, this.#cose]);
    const attestation = new Map<string, unknown>([
      ['fmt', bent.fmt ?? 'none'],
      ['attStmt', new Map()],
      ['authData', Uint8Array.from(authData)],
    ]);
    return {
      id: this.id,
      clientDataJSON: toBase64Url(this.#clientData('webauthn.create', options.challenge, bent)),
      attestationObject: toBase64Url(isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])),
    };
  }

  /** `navigator.credentials.get` for a challenge. */
  get(options: { challenge: string }, bent: Bent = {}): SignedChallenge {
    if (this.#counter > 0) this.#counter += 1;
    const authenticatorData = this.#head(bent, 0);
    const clientData = this.#clientData('webauthn.get', options.challenge, bent);
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);
    const { userHandle = this.#member } = bent;
    return {
      id: this.id,
      clientDataJSON: toBase64Url(clientData),
      authenticatorData: toBase64Url(authenticatorData),
      signature: toBase64Url(sign('sha256', signed, this.#key)),
      userHandle: userHandle === null ? null : toBase64Url(utf8(userHandle)),
    };
  }

  #head({ rpId = this.#party.rpId, verified = true, counter = this.#counter }: Bent, more: number): Uint8Array {
    const copied = this.#copied ? FLAG.BE | FLAG.BS : 0;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const flags = FLAG.UP | (verified ? FLAG.UV : 0) | copied | more;
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), count]);
  }

  #clientData(type: string, challenge: string, bent: Bent): Uint8Array {
    const { origin = this.#party.origin, crossOrigin = false } = bent;
    return utf8(JSON.stringify({ type: bent.type ?? type, challenge, origin, crossOrigin }));
  }
}
