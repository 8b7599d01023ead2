/** Whose a document is that is about the organisation's own sites. */
export const OWN = 'own';
