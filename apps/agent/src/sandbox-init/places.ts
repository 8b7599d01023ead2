/** Where the init and all that belongs to it lie in a sandbox; no job may mount anything there. */
export const INIT_FOLDER = '/ringfence';
/** The init itself. */
export const INIT_FILE = `${INIT_FOLDER}/init.mjs`;
/** What it is told. */
export const INIT_CONFIG = `${INIT_FOLDER}/init.json`;
/** The Node that runs it, apart from runtimes that the job sees. */
export const NODE_FOLDER = `${INIT_FOLDER}/node`;
/** Loader and libraries of that Node, where the root file system is not the host's. */
export const LIBRARY_FOLDER = `${INIT_FOLDER}/lib`;
/** Folder with the agent's egress proxy. */
export const EGRESS_FOLDER = `${INIT_FOLDER}/egress`;
/** Folder in which the init listens for connections to the job's service. */
export const INBOUND_FOLDER = `${INIT_FOLDER}/inbound`;
/** The egress proxy's socket in its folder. */
export const EGRESS_SOCKET = 'egress.sock';
/** The service's socket in its folder. */
export const INBOUND_SOCKET = 'inbound.sock';
/** Where the job finds its proxy. */
export const PROXY_PORT = 3128;
/** The byte with which the init says that the service accepted a connection. */
export const SERVICE_ANSWERED = 1;
