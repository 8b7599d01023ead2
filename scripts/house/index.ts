export * from './entries.ts';
export * from './house.ts';
export { portOf } from './remembered-ports.ts';
export type { House } from './running-house.ts';
export { startControlPlane, stateOf, text } from './roles.ts';
export { runCli, type CliResult } from './run-cli.ts';
export type { StartedProcess } from './started-process.ts';
