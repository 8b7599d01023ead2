export { CustodianClient } from './custodian-client.ts';
