// A key gateway as docs/protocol/key-gateway.md describes it, written for tests: what a customer would run, reduced to its wire.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { canonicalBytes, fromBase64Url, systemRng as rng, toBase64Url } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import type { ClientCertificate } from '@ringfence/client/outer-tls';
import { selfSignedCertificate, TlsKey } from '@ringfence/crypto/certificate';
import { startTlsService, type ServiceAnswer, type ServiceRequest, type TlsService } from '../tls-service.fixture.ts';

/** The gateway, and what its owner decides beside its wire. */
export interface KeyGateway extends TlsService {
  readonly keys: Map<string, Buffer>;
  current: string;
  /** Organisations that it serves; none other gets an answer but `denied`. */
  readonly organisations: Set<string>;
  /** A certificate that it takes. */
  readonly certificate: ClientCertificate;
  /** One that it does not take. */
  readonly stranger: ClientCertificate;
  /** What it answers instead, when that is set. */
  instead: ServiceAnswer | undefined;
}

type Aad = { readonly org: string };

/** Starts one with a key `2026-1` that serves `organisation`. */
export async function startKeyGateway(t: TestContext, organisation: string): Promise<KeyGateway> {
  const [certificate, stranger] = [await clientCertificate(), await clientCertificate()];
  const options = { clientCa: certificate.certificatePem };
  const service = await startTlsService(t, (request) => answer(gateway, request), options);
  const gateway: KeyGateway = Object.assign(service, {
    keys: new Map([['2026-1', randomBytes(32)]]),
    current: '2026-1',
    organisations: new Set([organisation, 'health']),
    certificate,
    stranger,
    instead: undefined,
  });
  return gateway;
}

async function clientCertificate(): Promise<ClientCertificate> {
  const made = await selfSignedCertificate({ key: TlsKey.generate(rng), clock, rng });
  return { certificatePem: made.certificatePem, keyPem: made.privateKeyPem };
}

function answer(gateway: KeyGateway, { method, target, json }: ServiceRequest): ServiceAnswer {
  if (gateway.instead !== undefined) return gateway.instead;
  const current = gateway.keys.get(gateway.current);
  if (method === 'GET' && target === '/v1/health')
    return current === undefined ? refuse(410, 'destroyed') : { status: 200, json: { keyVersion: gateway.current } };
  const aad = json['aad'] as unknown as Aad | undefined;
  if (method !== 'POST' || aad === undefined || !gateway.organisations.has(aad.org)) return refuse(403, 'denied');
  if (target === '/v1/wrap')
    return current === undefined ? refuse(410, 'destroyed') : wrap(gateway.current, current, json);
  const key = gateway.keys.get(String(json['keyVersion']));
  if (target !== '/v1/unwrap') return refuse(403, 'denied');
  return key === undefined ? refuse(410, 'destroyed') : unwrap(key, json);
}

function wrap(keyVersion: string, key: Buffer, json: ServiceRequest['json']): ServiceAnswer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(canonicalBytes(json['aad'] as never));
  const parts = [iv, cipher.update(fromBase64Url(String(json['plaintext']))), cipher.final(), cipher.getAuthTag()];
  return { status: 200, json: { keyVersion, wrapped: toBase64Url(Buffer.concat(parts)) } };
}

function unwrap(key: Buffer, json: ServiceRequest['json']): ServiceAnswer {
  const box = Buffer.from(fromBase64Url(String(json['wrapped'])));
  if (box.length < 28) return refuse(422, 'tampered');
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, 12))
    .setAAD(canonicalBytes(json['aad'] as never))
    .setAuthTag(box.subarray(-16));
  try {
    const plaintext = Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]);
    return { status: 200, json: { plaintext: toBase64Url(plaintext) } };
  } catch {
    return refuse(422, 'tampered');
  }
}

function refuse(status: number, error: string): ServiceAnswer {
  return { status, json: { error } };
}
