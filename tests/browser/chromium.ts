import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { chromium, type BrowserContext, type CDPSession, type Page } from 'playwright-core';

/** A browser of its own profile, and everything that its pages complained of. */
export interface Browser {
  readonly context: BrowserContext;
  readonly complaints: string[];
}

/** The real Chromium of this machine; it trusts the authorities in `caFiles` beside those that it knows. The test closes it. */
export async function startChromium(t: TestContext, caFiles: readonly string[]): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'ringfence-chromium-'));
  const pins = caFiles.map((file) => {
    const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(key).digest('base64');
  });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    // Chromium has no sandbox for root, and containers give it little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', `--ignore-certificate-errors-spki-list=${pins.join(',')}`],
  });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  context.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  return { context, complaints };
}

/** A virtual authenticator on a page (WebAuthn §11): one that is part of the machine, whose user is always there and verified. */
export class VirtualAuthenticator {
  readonly #cdp: CDPSession;
  readonly #id: string;

  private constructor(cdp: CDPSession, id: string) {
    this.#cdp = cdp;
    this.#id = id;
  }

  /** Plugs one in. */
  static async of(page: Page): Promise<VirtualAuthenticator> {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new VirtualAuthenticator(cdp, authenticatorId);
  }

  /** Whether its user passes verification from now on. */
  async verifies(isUserVerified: boolean): Promise<void> {
    await this.#cdp.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified });
  }

  /** The passkeys that it holds: for which host, whether it lists them by itself, and their counters. */
  async passkeys(): Promise<{ rpId: string | undefined; isDiscoverable: boolean; count: number }[]> {
    const { credentials } = await this.#cdp.send('WebAuthn.getCredentials', { authenticatorId: this.#id });
    return credentials.map(({ rpId, isResidentCredential, signCount }) => ({
      rpId,
      isDiscoverable: isResidentCredential,
      count: signCount,
    }));
  }
}
