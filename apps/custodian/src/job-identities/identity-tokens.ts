import {
  utf8,
  type AgentId,
  type CustodianId,
  type DeviceId,
  type JobId,
  type OrgId,
  type ProjectId,
  type SiteId,
} from '@ringfence/base';
import { IdentityKey, sha256Hex, type Digest, type SigningKey } from '@ringfence/crypto/sign';
import { identityKeys, type IdentityKeys } from '@ringfence/protocol/payload';
import { SignJWT } from 'jose';
import type { IdentityLife } from './judge-identity.ts';

/** What a token says of an attempt. */
export interface IdentityClaims {
  readonly org: OrgId;
  readonly project: ProjectId;
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
  readonly site: SiteId;
  /** Whose job it is. */
  readonly device: DeviceId;
  /** Of all that was granted to run. */
  readonly workload: Digest;
  /** Of its code's plain files; undefined where it brings none. */
  readonly code: Digest | undefined;
  readonly audience: string;
  /** Random, for this token alone. */
  readonly id: string;
  readonly life: IdentityLife;
}

/** Makes tokens of jobs, and tells what they are checked with. */
export class IdentityTokens {
  readonly #key: IdentityKey;
  readonly #custodian: CustodianId;

  constructor({ id, sign }: { readonly id: CustodianId; readonly sign: SigningKey }) {
    this.#key = IdentityKey.derive(sign);
    this.#custodian = id;
  }

  /** What is public of it; a key is named by its thumbprint (RFC 7638). */
  keys(org: OrgId): IdentityKeys {
    const { crv, kty, x } = this.#key.publicKey.export({ format: 'jwk' });
    const kid = Buffer.from(sha256Hex(utf8(JSON.stringify({ crv, kty, x }))), 'hex').toString('base64url');
    const key = { kty, crv, x, kid, use: 'sig', alg: 'EdDSA' };
    return identityKeys.parse({ issuer: this.#issuer(org), keys: [key] });
  }

  /** A signed token (RFC 7519). */
  async sign(claims: IdentityClaims): Promise<string> {
    const { org, project, job, attempt, agent, site, device, workload, code, audience, id, life } = claims;
    const kid = this.keys(org).keys[0]?.kid ?? '';
    const what = { device, workload, ...(code === undefined ? {} : { code }) };
    return new SignJWT({ org, project, job, attempt, agent, site, ...what })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid })
      .setIssuer(this.#issuer(org))
      .setSubject(`ringfence://${org}/project/${project}/job/${job}/${attempt}`)
      .setAudience(audience)
      .setJti(id)
      .setIssuedAt(life.from)
      .setNotBefore(life.from)
      .setExpirationTime(life.until)
      .sign(this.#key.privateKey());
  }

  #issuer(org: OrgId): string {
    return `ringfence://${org}/custodian/${this.#custodian}`;
  }
}
