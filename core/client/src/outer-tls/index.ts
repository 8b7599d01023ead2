export { outerTls, type ClientCertificate, type OuterTls, type OuterTrust } from './outer-tls.ts';
export { proxyAgent } from './proxy-agent.ts';
export { parseServerUrl } from './server-url.ts';
export { tlsOverTcp } from './tls-over-tcp.ts';
export { watchSockets, type SocketWatch } from './watched-sockets.ts';
