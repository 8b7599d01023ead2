import { hostname, networkInterfaces } from 'node:os';
import { errorFields, Secret, utf8, fromUtf8, type Clock, type HostPort, type Log } from '@ringfence/base';
import type { CustodianClient } from '@ringfence/client/custodian';
import { createCertificateRequest } from '@ringfence/crypto/certificate';
import { moment } from '@ringfence/protocol';
import { z } from 'zod';
import type { KeptFile } from './kept-file.ts';

/** What a keeper keeps. */
export const keptCertificate = z.strictObject({
  chain: z.string(),
  key: z.string(),
  /** When it was issued, by the clock here, and until when it holds. */
  from: moment,
  notAfter: moment,
  /** The endpoints that it names. */
  endpoints: z.array(z.string()),
});
type KeptCertificate = z.infer<typeof keptCertificate>;

/** A certificate and its key, as node:tls takes them. */
export interface GatewayCertificate {
  readonly chain: string;
  readonly key: Secret;
}

/** What a keeper needs. */
export interface KeeperOptions {
  readonly custodian: CustodianClient;
  readonly kept: KeptFile<KeptCertificate>;
  readonly listen: HostPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly onCertificate: (certificate: GatewayCertificate) => void;
}

const MOST_HOSTS = 16;
const AGAIN_AFTER_MS = 15_000;

/** Keeps the gateway's certificate valid: asks for one that names every endpoint, and for the next at half of its life. */
export class CertificateKeeper {
  readonly #options: KeeperOptions;
  /** Of what is in use, without the key: that lives in its Secret alone. */
  #held: Omit<KeptCertificate, 'chain' | 'key'> | undefined;
  #endpoints: readonly string[] = [];
  #asking = false;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const held = options.kept.read();
    if (held !== undefined && held.notAfter > options.clock.now()) this.#use(held);
  }

  /** Which endpoints there are now. */
  endpoints(ids: readonly string[]): void {
    this.#endpoints = ids.toSorted();
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    this.#cancel();
    if (this.#closed || this.#asking) return;
    const { clock, log } = this.#options;
    const wait = this.#dueIn(clock.now());
    if (wait > 0) return this.#later(Math.min(wait, 3_600_000));
    this.#asking = true;
    try {
      await this.#renew();
      this.#later(0);
    } catch (error) {
      log.warn('gateway.no-certificate', errorFields(error));
      this.#later(AGAIN_AFTER_MS);
    } finally {
      this.#asking = false;
    }
  }

  #later(wait: number): void {
    if (!this.#closed) this.#cancel = this.#options.clock.after(Math.max(wait, 100), () => void this.#look());
  }

  #dueIn(now: number): number {
    const held = this.#held;
    if (held === undefined || held.endpoints.join() !== this.#endpoints.join()) return 0;
    return held.from + (held.notAfter - held.from) / 2 - now;
  }

  async #renew(): Promise<void> {
    const { custodian, kept, clock, listen } = this.#options;
    const endpoints = this.#endpoints;
    const { requestPem, privateKeyPem } = await createCertificateRequest(hostsOf(listen));
    const { chain, notAfter } = await custodian.gatewayCertificate({ request: requestPem });
    const key = fromUtf8(privateKeyPem.expose());
    const held = { chain, key, from: clock.now(), notAfter, endpoints: [...endpoints] };
    kept.write(held);
    this.#use(held);
  }

  #use({ chain, key, ...held }: KeptCertificate): void {
    this.#held = held;
    this.#options.onCertificate({ chain, key: new Secret(utf8(key)) });
  }
}

/** Names and addresses by which callers reach a listener. */
export function hostsOf({ host }: HostPort): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = addresses.filter(({ internal }) => !internal).map((each) => each.address.split('%', 1)[0] ?? '');
  return [...new Set([hostname(), 'localhost', '127.0.0.1', ...own])].slice(0, MOST_HOSTS);
}
