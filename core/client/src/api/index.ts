export { ApiRefusal } from './api-refusal.ts';
export { ControlPlaneClient, type ApiIdentity } from './control-plane-client.ts';
export { HttpsExchange, type HttpsAnswer, type ServerAccess } from './https-exchange.ts';
