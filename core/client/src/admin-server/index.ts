export { startAdminServer, type AdminOptions, type AdminServer } from './admin-server.ts';
