export { LockCalls } from './lock-calls.ts';
export { ApiRefusal } from './api-refusal.ts';
export { ControlPlaneClient, type ApiIdentity } from './control-plane-client.ts';
export { httpsAgent, HttpsExchange, type HttpsAnswer, type ServerAccess } from './https-exchange.ts';
export { entriesReader, exportLog, tileReader, type LogSource } from './log-source.ts';
