import { inspect } from 'node:util';
import { fromBase64Url, Secret, toBase64Url, type JoinCodeId, type Rng } from '@ringfence/base';
import { CODE_PREFIX, writeCode, type CodeKind } from './code-text.ts';

const SECRET_BYTES = 16;

/** A fresh 128-bit secret of a code. */
export function codeSecret(rng: Rng): Secret {
  return new Secret(rng.bytes(SECRET_BYTES));
}

/** A code that is spent once: where to go, whom to expect there, and a secret that only {@link OneTimeCode.text} shows. */
export class OneTimeCode<Route extends object> {
  readonly kind: CodeKind;
  readonly id: JoinCodeId;
  readonly secret: Secret;
  readonly route: Route;

  constructor(kind: CodeKind, { id, secret, route }: { id: JoinCodeId; secret: Secret; route: Route }) {
    if (secret.length !== SECRET_BYTES) throw new RangeError('a code has a secret of 128 bits');
    this.kind = kind;
    this.id = id;
    this.secret = secret;
    this.route = route;
  }

  /** The text that is handed over; it is as secret as the secret. */
  text(): Secret {
    const fields = { v: 1, id: this.id, secret: toBase64Url(this.secret.expose()), route: this.route };
    return new Secret(Buffer.from(writeCode(this.kind, fields)));
  }

  toString(): string {
    return `${CODE_PREFIX[this.kind]}.[secret]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The secret bytes of a code's `secret` field, whose form its schema has checked. */
export function secretOf(field: string): Secret {
  return new Secret(Uint8Array.from(fromBase64Url(field)));
}
