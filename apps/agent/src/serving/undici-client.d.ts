/** One module of undici: the whole of it would cost an agent some 15 MB. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';

  export default Client;
}
