import { createLog, errorFields, systemRng, RingfenceError, type Clock, type Log, type Rng } from '@ringfence/base';
import { endOnEscape, openStateFolder, systemClock } from '@ringfence/base/platform';
import { givenCertificate, ownCertificate, type OwnCertificate } from '@ringfence/client/server-certificate';
import { parseRelayConfig, RELAY_USAGE, type RelayConfig } from './config.ts';
import { startRelayServer, type RelayServer } from './relay-server.ts';

const STATE_VERSION = 1;
const RENEWAL_EVERY = 86_400_000;

try {
  const config = parseRelayConfig(process.argv.slice(2));
  if (config === 'help') process.stdout.write(RELAY_USAGE);
  else await run(config);
} catch (error) {
  if (!(error instanceof RingfenceError)) throw error;
  process.stderr.write(`ringfence relay: ${error.message}\n${error.next === undefined ? '' : `  ${error.next}\n`}`);
  // What was opened before the failure would keep the process alive, neither serving nor gone.
  process.exit(1);
}

async function run(config: RelayConfig): Promise<void> {
  const [clock, rng] = [systemClock, systemRng];
  const write = (line: string): void => void process.stderr.write(line);
  const log = createLog({ role: 'relay', clock, level: config.logLevel, write });
  endOnEscape(log);
  openStateFolder({ path: config.state, role: 'relay', version: STATE_VERSION });
  const certificate = await certificateOf(config, clock, rng);
  const server = await startRelayServer({ ...config, certificate, clock, rng, log });
  const renewal = { stop: keepRenewing(config, { server, clock, rng, log }) };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      log.info('stopping', { signal });
      renewal.stop();
      void server.close();
    });
  const url = `https://${config.names[0]}:${server.port}`;
  const { caFile, caFingerprint } = certificate;
  log.info('ready', { url, pid: process.pid });
  // Whoever started it may have gone, or never read; that is no reason to stop.
  process.stdout.on('error', () => {});
  process.stdout.write(`${JSON.stringify({ event: 'ready', url, ca_file: caFile, ca_fingerprint: caFingerprint })}\n`);
}

function certificateOf(config: RelayConfig, clock: Clock, rng: Rng): Promise<OwnCertificate> {
  const given = config.certificate;
  if (given !== undefined) return Promise.resolve(givenCertificate(given.certificateFile, given.keyFile));
  return ownCertificate({ state: config.state, names: config.names, clock, rng });
}

/** Once a day: takes up a certificate that was issued anew, or that the operator replaced. */
function keepRenewing(
  config: RelayConfig,
  running: { server: RelayServer; clock: Clock; rng: Rng; log: Log },
): () => void {
  let cancel = running.clock.after(RENEWAL_EVERY, renew);
  return () => cancel();

  function renew(): void {
    cancel = running.clock.after(RENEWAL_EVERY, renew);
    certificateOf(config, running.clock, running.rng)
      .then((certificate) => running.server.useCertificate(certificate))
      .catch((error: unknown) => running.log.error('certificate-not-renewed', errorFields(error)));
  }
}
