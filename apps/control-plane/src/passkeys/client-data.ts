import { decodeClientDataJSON } from '@simplewebauthn/server/helpers';

/** Whether a credential was used in a frame of another site's page; the library lets it pass where the browser does not name that site. */
export function isOfAnotherFrame(clientDataJSON: string): boolean {
  const { crossOrigin, topOrigin } = decodeClientDataJSON(clientDataJSON);
  return crossOrigin === true || topOrigin !== undefined;
}
