import type * as X509 from '@peculiar/x509';
import type { EpochMs, Rng } from '@ringfence/base';

/** What certificates are made with. */
export type X509Library = typeof X509;

/** Loads the library on first use: it costs some 20 MB, and most processes only read certificates. */
export async function x509Library(): Promise<X509Library> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** A fresh serial number: 16 bytes, 15 of them random, positive, within RFC 5280's 20. */
export function serialNumber(rng: Rng): string {
  return `01${Buffer.from(rng.bytes(15)).toString('hex')}`;
}

/** A moment as the library takes it, in whole seconds. */
export function toDate(moment: EpochMs | number): Date {
  // oxlint-disable-next-line no-restricted-globals -- the library's parameter type; the moment comes from a Clock
  return new Date(Math.floor(moment / 1000) * 1000);
}

/** Subject alternative names of DNS names and IP addresses. */
export function alternativeNames(hosts: readonly string[]): { type: 'dns' | 'ip'; value: string }[] {
  return hosts.map((value) => ({ type: /^[0-9.]+$|:/.test(value) ? 'ip' : 'dns', value }));
}
