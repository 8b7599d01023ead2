import page from './generated/account-page.json' with { type: 'json' };

/** What the page's answers carry in place of those of the API: its own script, style and API, and nothing else, not even from itself. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Whoever serves: a Fastify server. */
interface PageServer {
  get(path: string, handler: (request: unknown, reply: PageReply) => unknown): unknown;
}

interface PageReply {
  header(name: string, value: string): PageReply;
  type(type: string): PageReply;
  send(text: string): unknown;
}

/** The address of the sign-in page; a provider sends browsers back to the second one. */
const PATHS = ['/account', '/account/signed-on'] as const;

/** Serves the sign-in and account page: one text, one style, one script, from memory, to everybody. */
export function servePage(server: PageServer): void {
  const files = [
    ...PATHS.map((path) => ({ path, type: 'text/html; charset=utf-8', text: page.html })),
    { path: '/account/style.css', type: 'text/css; charset=utf-8', text: page.style },
    { path: '/account/script.js', type: 'text/javascript; charset=utf-8', text: page.script },
  ];
  for (const { path, type, text } of files)
    server.get(path, (_, reply) =>
      reply
        .header('content-security-policy', PAGE_POLICY)
        .header('permissions-policy', 'publickey-credentials-get=(self), publickey-credentials-create=(self)')
        .type(type)
        .send(text),
    );
}
