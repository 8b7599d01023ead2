export { givenCertificate, ownCertificate, type OwnCertificate, type ServerCertificate } from './server-certificate.ts';
