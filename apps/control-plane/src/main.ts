import { createLog, RingfenceError, systemRng, type Log } from '@ringfence/base';
import { armedFault, endOnEscape, openStateFolder, systemClock } from '@ringfence/base/platform';
import { CONTROL_PLANE_USAGE, parseControlPlaneConfig, type ControlPlaneConfig } from './config.ts';
import { FAULT_POINTS, noFault, type Fault } from './fault-points.ts';
import { diagnose } from './doctor/doctor.ts';
import { openReplicaId } from './identity/replica-id.ts';
import { printRegistrationCode } from './registration/print-registration-code.ts';
import { startControlPlane } from './start.ts';

const STATE_VERSION = 1;

try {
  const config = parseControlPlaneConfig(process.argv.slice(2), process.env);
  if (config === 'help') process.stdout.write(CONTROL_PLANE_USAGE);
  else await run(config);
} catch (error) {
  if (!(error instanceof RingfenceError)) throw error;
  process.stderr.write(
    `ringfence control plane: ${error.message}\n${error.next === undefined ? '' : `  ${error.next}\n`}`,
  );
  // What was opened before the failure would keep the process alive, neither serving nor gone.
  process.exit(1);
}

async function run(config: ControlPlaneConfig): Promise<void> {
  const log = createLog({
    role: 'control-plane',
    clock: systemClock,
    level: config.logLevel,
    write: (line) => void process.stderr.write(line),
  });
  if (config.verb === 'doctor') {
    const { fit, lines } = await diagnose({ config, clock: systemClock, log });
    process.stdout.write(`${lines.join('\n')}\n`);
    if (!fit && config.production) process.exitCode = 1;
    return;
  }
  openStateFolder({ path: config.state, role: 'control-plane', version: STATE_VERSION });
  const parts = {
    config,
    clock: systemClock,
    rng: systemRng,
    log,
    replica: openReplicaId(config.state, systemRng),
    fault: faultOf(config, log),
  };
  if (config.verb === 'registration-code') {
    process.stdout.write(`${await printRegistrationCode(parts)}\n`);
    return;
  }
  endOnEscape(log);
  const controlPlane = await startControlPlane(parts);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      log.info('stopping', { signal });
      void controlPlane.close();
    });
  log.info('ready', { url: controlPlane.ready.url, pid: process.pid });
  // Whoever started it may have gone, or never read; that is no reason to stop.
  process.stdout.on('error', () => {});
  process.stdout.write(`${JSON.stringify({ event: 'ready', ...controlPlane.ready })}\n`);
}

function faultOf(config: ControlPlaneConfig, log: Log): Fault {
  if (config.fault === undefined) return noFault;
  log.warn('fault.armed', { reason: config.fault });
  return armedFault(FAULT_POINTS, config.fault, () => process.kill(process.pid, 'SIGKILL'));
}
