import { createLog, errorFields, noFault, RingfenceError, systemRng, type Log } from '@ringfence/base';
import { armedFault, endOnEscape, openStateFolder, systemClock } from '@ringfence/base/platform';
import { CUSTODIAN_USAGE, parseCustodianConfig, type CustodianConfig } from './config.ts';
import { FAULT_POINTS, type Fault } from './fault-points.ts';
import { runRestore } from './backup/run-restore.ts';
import { startCustodian, type RunningCustodian } from './start.ts';

const STATE_VERSION = 1;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

try {
  const config = parseCustodianConfig(process.argv.slice(2), process.env);
  if (config === 'help') process.stdout.write(CUSTODIAN_USAGE);
  else await run(config);
} catch (error) {
  if (!(error instanceof RingfenceError)) throw error;
  process.stderr.write(`ringfence custodian: ${error.message}\n${error.next === undefined ? '' : `  ${error.next}\n`}`);
  // What was opened before the failure would keep the process alive, neither serving nor gone.
  process.exit(1);
}

async function run(config: CustodianConfig): Promise<void> {
  const log = createLog({
    role: 'custodian',
    clock: systemClock,
    level: config.logLevel,
    write: (line) => void process.stderr.write(line),
  });
  openStateFolder({ path: config.state, role: 'custodian', version: STATE_VERSION });
  const parts = { config, clock: systemClock, rng: systemRng, log, fault: faultOf(config, log) };
  if (config.verb === 'restore') {
    const { org, epoch } = await runRestore(parts, process.stdin);
    process.stdout.write(`${JSON.stringify({ event: 'restored', org, epoch })}\n`);
    return;
  }
  endOnEscape(log);
  // Whoever started it may have gone, or never read; that is no reason to stop.
  process.stdout.on('error', () => {});
  const stop = new AbortController();
  let custodian: RunningCustodian | undefined;
  for (const signal of config.standby ? SIGNALS : [])
    process.once(signal, () => {
      if (custodian === undefined) stop.abort();
    });
  let event = 'ready';
  const say = (ready: RunningCustodian['ready']): void => {
    process.stdout.write(`${JSON.stringify({ event, ...ready })}\n`);
    event = 'active';
  };
  try {
    custodian = await startCustodian({
      ...parts,
      onStandby: say,
      onLost: (why) => endAtOnce(log, 'standby.lost', { reason: why }),
      onJournalFailed: (error) => endAtOnce(log, 'journal.failed', errorFields(error)),
      stop: stop.signal,
    });
  } catch (error) {
    if (stop.signal.aborted) return;
    throw error;
  }
  const running = custodian;
  for (const signal of SIGNALS)
    process.once(signal, () => {
      log.info('stopping', { signal });
      void running.close();
    });
  log.info('ready', { pid: process.pid });
  say(custodian.ready);
  // Asked to stop between the taking of the term and now.
  if (stop.signal.aborted) void running.close();
}

/** Nothing may be written or sent any more, not even a farewell: another process may be at it, or the journal does not take it. */
function endAtOnce(log: Log, event: string, fields: Parameters<Log['error']>[1]): never {
  log.error(event, { ...fields, next: 'have it started again (Restart=always)' });
  process.exit(1);
}

function faultOf(config: CustodianConfig, log: Log): Fault {
  if (config.fault === undefined) return noFault;
  log.warn('fault.armed', { reason: config.fault });
  return armedFault(FAULT_POINTS, config.fault, () => process.kill(process.pid, 'SIGKILL'));
}
