import { createLog, errorFields, noFault, RingfenceError, systemRng, type Log } from '@ringfence/base';
import { armedFault, endOnEscape, openStateFolder, systemClock } from '@ringfence/base/platform';
import { AgentError } from './agent-error.ts';
import {
  AGENT_USAGE,
  parseAgentConfig,
  type AgentConfig,
  type JoinConfig,
  type KeysConfig,
  type RenewConfig,
  type RunConfig,
} from './config.ts';
import { FAULT_POINTS, type Fault } from './fault-points.ts';
import { sealKey } from './identity/seal-key.ts';
import { joinOrganisation } from './join/join-organisation.ts';
import { prepareKeys, readPapers } from './join/papers.ts';
import { renewPapers } from './join/renew-papers.ts';
import { readJoinCode } from './join/read-code.ts';
import { startAgent } from './start-agent.ts';

const STATE_VERSION = 1;

// Files that jobs must be able to read are made with the modes that they are given; everything private says so itself.
process.umask(0o022);

try {
  const config = parseAgentConfig(process.argv.slice(2), process.env);
  if (config === 'help') process.stdout.write(AGENT_USAGE);
  else if (config.verb === 'join') await join(config);
  else if (config.verb === 'keys') await printKeys(config);
  else if (config.verb === 'renew') await renew(config);
  else await run(config);
} catch (error) {
  if (!(error instanceof RingfenceError)) throw error;
  process.stderr.write(`ringfence agent: ${error.message}\n${error.next === undefined ? '' : `  ${error.next}\n`}`);
  // What was opened before the failure would keep the process alive, neither serving nor gone.
  process.exit(1);
}

async function join(config: JoinConfig): Promise<void> {
  const { state, allowProcess, lan, proxy, caFile, relayCa } = config;
  const log = logOf(config);
  const code = await readJoinCode(config.codeFile, { input: process.stdin, prompt: process.stderr });
  openStateFolder({ path: state, role: 'agent', version: STATE_VERSION });
  const { agent, org } = await joinOrganisation({
    state,
    code,
    key: sealKey(state, config.sealKeyFile, systemRng),
    allowProcess,
    lan,
    admitted: readPapers(config),
    outer: {
      ...(proxy === undefined ? {} : { proxy }),
      ...(caFile === undefined ? {} : { caFile }),
      ...(relayCa === undefined ? {} : { relayCa }),
    },
    clock: systemClock,
    rng: systemRng,
    log,
    fault: faultOf(config, log),
  });
  process.stdout.write(`${JSON.stringify({ event: 'joined', agent, org })}\n`);
}

async function printKeys(config: KeysConfig): Promise<void> {
  const { state, sealKeyFile } = config;
  openStateFolder({ path: state, role: 'agent', version: STATE_VERSION });
  const key = sealKey(state, sealKeyFile, systemRng);
  const keys = await prepareKeys(state, key, { clock: systemClock, rng: systemRng });
  process.stdout.write(`${JSON.stringify(keys)}\n`);
}

async function renew(config: RenewConfig): Promise<void> {
  const { state, sealKeyFile } = config;
  const papers = readPapers(config);
  if (papers === undefined)
    throw new AgentError('bad-config', 'the papers are missing', { next: 'give both --admission and --machine' });
  openStateFolder({ path: state, role: 'agent', version: STATE_VERSION });
  const key = sealKey(state, sealKeyFile, systemRng);
  const agent = await renewPapers({ state, key, papers, clock: systemClock, rng: systemRng, log: logOf(config) });
  process.stdout.write(`${JSON.stringify({ event: 'renewed', agent })}\n`);
}

async function run(config: RunConfig): Promise<void> {
  const log = logOf(config);
  endOnEscape(log);
  openStateFolder({ path: config.state, role: 'agent', version: STATE_VERSION });
  const agent = await startAgent({
    config,
    clock: systemClock,
    rng: systemRng,
    log,
    fault: faultOf(config, log),
    onJournalFailed: (error) => endAtOnce(log, error),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      log.info('stopping', { signal });
      void agent.close();
    });
  log.info('ready', { agent: agent.ready.agent, pid: process.pid });
  // Whoever started it may have gone, or never read; that is no reason to stop.
  process.stdout.on('error', () => {});
  process.stdout.write(`${JSON.stringify({ event: 'ready', ...agent.ready })}\n`);
}

/** Without its journal an agent may begin, end and tell nothing: whoever starts it again opens the journal as the disk holds it. */
function endAtOnce(log: Log, error: Error): never {
  log.error('journal.failed', { ...errorFields(error), next: 'have it started again (Restart=always)' });
  process.exit(1);
}

function logOf({ logLevel: level }: AgentConfig): Log {
  return createLog({ role: 'agent', clock: systemClock, level, write: (line) => void process.stderr.write(line) });
}

function faultOf({ fault }: AgentConfig, log: Log): Fault {
  if (fault === undefined) return noFault;
  log.warn('fault.armed', { reason: fault });
  return armedFault(FAULT_POINTS, fault, () => process.kill(process.pid, 'SIGKILL'));
}
