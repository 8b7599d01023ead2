import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { fromUtf8, jsonOf, Secret, utf8 } from '@ringfence/base';
import { z } from 'zod';
import { proxyAgent } from '@ringfence/client/outer-tls';
import { parseChallenge, type AuthChallenge } from './auth-challenge.ts';
import { MANIFEST_TYPES } from './image-document.ts';
import { OciError } from './oci-error.ts';
import { checkedLookup } from './registry-address.ts';
import { LARGEST_DOCUMENT, readAll, type BlobSource } from './resolve-image.ts';

/** How this site reaches registries. */
export interface RegistryAccess {
  /** Authorities in PEM; left out: those of the system. */
  readonly ca?: string | undefined;
  readonly proxy?: string | undefined;
  /** `Basic …` by registry. */
  readonly auth: ReadonlyMap<string, Secret>;
  /** `host:port` of registries that may be read over plain HTTP, beside those on this machine's loopback. */
  readonly insecure: ReadonlySet<string>;
  /** `host` or `host:port` of registries that the operator listed, the insecure ones too: these alone may be this machine. */
  readonly listed: ReadonlySet<string>;
}

/** An image's place in a registry. */
export interface RegistryName {
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly repository: string;
}

const IDLE_MS = 30_000;
const MOST_REDIRECTS = 5;
const LARGEST_TOKEN = 65_536;
const tokenAnswer = z.object({ token: z.string().min(1).optional(), access_token: z.string().min(1).optional() });

/** Reads one repository of a registry (OCI distribution-spec 1.1: manifests and blobs by digest). Every method throws OciError. */
export class RegistryClient implements BlobSource {
  readonly #name: RegistryName;
  readonly #access: RegistryAccess;
  readonly #signal: AbortSignal;
  readonly #origin: string;
  /** What it lets in by: `Basic …`, or `Bearer …` of a token that it gave. */
  #authorization: Secret | undefined;

  constructor(name: RegistryName, access: RegistryAccess, signal: AbortSignal) {
    this.#name = name.registry === 'docker.io' ? dockerHub(name) : name;
    this.#access = access;
    this.#signal = signal;
    const host = this.#name.registry;
    // On this machine's own loopback nobody listens in; whoever names authorities wants TLS there too.
    const plain = access.insecure.has(host) || (isLoopback(host) && access.ca === undefined);
    this.#origin = `${plain ? 'http' : 'https'}://${host}`;
  }

  async manifest(digest: string): Promise<Buffer> {
    const answer = await this.#get(`manifests/${digest}`, { accept: MANIFEST_TYPES.join(', ') });
    return readAll(answer, LARGEST_DOCUMENT);
  }

  async blob(digest: string): Promise<Readable> {
    return this.#get(`blobs/${digest}`, {});
  }

  async #get(what: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const url = new URL(`/v2/${this.#name.repository}/${what}`, this.#origin);
    const first = await this.#follow(url, headers);
    if (first.statusCode !== 401) return accepted(first);
    first.resume();
    const challenge = parseChallenge(first.headers['www-authenticate'] ?? '');
    this.#authorization = challenge === undefined ? undefined : await this.#authorize(challenge);
    if (this.#authorization === undefined) throw loginNeeded();
    return accepted(await this.#follow(url, headers));
  }

  async #authorize(challenge: AuthChallenge): Promise<Secret | undefined> {
    const basic = this.#access.auth.get(this.#name.registry) ?? this.#access.auth.get(hubName(this.#name.registry));
    if (challenge.scheme === 'basic') return basic;
    const realm = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined;
    // A registry must not send credentials over a wire that it is not trusted to be read on itself, and one that is elsewhere must not
    // send this agent to what listens on its own machine.
    if (realm === undefined || (realm.protocol !== 'https:' && realm.origin !== this.#origin && !this.#isBeside(realm)))
      throw new OciError('refused', 'the registry names no usable place for its tokens');
    realm.searchParams.set('scope', `repository:${this.#name.repository}:pull`);
    if (challenge.service !== undefined) realm.searchParams.set('service', challenge.service);
    const answer = await this.#send(realm, credentials(basic));
    if (answer.statusCode !== 200) throw loginNeeded();
    const { token, access_token: other } = tokenAnswer.parse(jsonOf(await readAll(answer, LARGEST_TOKEN)));
    const value = token ?? other;
    return value === undefined ? undefined : new Secret(utf8(`Bearer ${value}`));
  }

  /** Registries send readers of blobs elsewhere; credentials stay with the registry. */
  async #follow(start: URL, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    let url = start;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
      const authorization = url.origin === this.#origin ? this.#authorization : undefined;
      const answer = await this.#send(url, { ...headers, ...credentials(authorization) });
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) return answer;
      answer.resume();
      if (!URL.canParse(location, url.href)) break;
      url = new URL(location, url);
      if (url.protocol !== 'https:' && url.origin !== this.#origin)
        throw new OciError('refused', 'the registry leads to a place without TLS');
    }
    throw new OciError('refused', 'the registry leads in a circle');
  }

  /** A registry on this machine that the operator listed may have its token service and its blobs there too. */
  #isBeside(url: URL): boolean {
    const { registry } = this.#name;
    return this.#access.listed.has(registry) && isLoopback(registry) && isLoopback(url.host);
  }

  async #send(url: URL, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const { ca, proxy } = this.#access;
    const signal = this.#signal;
    const lookup = await checkedLookup({
      url,
      listed: this.#isBeside(url) ? new Set([url.host]) : this.#access.listed,
      proxy: url.protocol === 'http:' ? undefined : proxy,
    });
    return new Promise((resolve, reject) => {
      const common = { headers: { 'user-agent': 'ringfence-agent', ...headers }, timeout: IDLE_MS, signal, lookup };
      let outgoing: ClientRequest;
      if (url.protocol === 'http:') outgoing = httpRequest(url, { ...common, agent: new HttpAgent() });
      else {
        const trust = ca === undefined ? {} : { ca };
        const agent = proxy === undefined ? new HttpsAgent(trust) : Object.assign(proxyAgent(proxy, signal), {});
        Object.assign(agent.options, trust);
        outgoing = httpsRequest(url, { ...common, agent });
      }
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.once('error', (cause) => reject(unreachable(cause)));
      outgoing.once('response', resolve);
      outgoing.end();
    });
  }
}

function credentials(authorization: Secret | undefined): { authorization?: string } {
  return authorization === undefined ? {} : { authorization: fromUtf8(authorization.expose()) };
}

function accepted(answer: IncomingMessage): IncomingMessage {
  if (answer.statusCode === 200) return answer;
  answer.resume();
  if (answer.statusCode === 401 || answer.statusCode === 403) throw loginNeeded();
  if (answer.statusCode === 404)
    throw new OciError('not-found', 'the registry has no image of this name and digest', {
      next: 'correct the name, or push the image first',
    });
  throw new OciError('refused', `the registry answers with status ${answer.statusCode ?? 0}`, {
    next: 'try again later',
  });
}

function loginNeeded(): OciError {
  return new OciError('refused', 'the registry does not show this image without other credentials', {
    next: 'ask the site’s operator to add them to the file of --registry-auth',
  });
}

function unreachable(cause: Error): OciError {
  return new OciError('unreachable', 'the registry cannot be reached, or its certificate is not trusted', {
    cause,
    next: 'look at the address, the proxy and --registry-ca of the agent',
  });
}

/** Whether `host` (`name`, `name:port`) is this machine by its spelling; a name is never asked for. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?$/.test(host);
}

function dockerHub({ repository }: RegistryName): RegistryName {
  return {
    registry: 'registry-1.docker.io',
    repository: repository.includes('/') ? repository : `library/${repository}`,
  };
}

function hubName(registry: string): string {
  return registry === 'registry-1.docker.io' ? 'docker.io' : registry;
}
