/**
 * An OpenID Connect provider (`oidc-provider`) for people who sign in to a web UI. Who somebody is
 * is typed into a form, or the form is cancelled; access tokens say what each person may do. The
 * provider remembers who has signed in, as providers do. `POST /sign-out?account=NAME` tells the
 * server under test that somebody has to leave (back-channel logout).
 *
 *     node visitors.mjs PORT ADDRESS_OF_THE_SERVER
 */

import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { consent, jsonWebTokens, onLoopback, signingKey } from './providing.mjs';

const [port, server] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;

/** What each person may do; nobody else has any role. */
const PERMISSIONS = {
  reader: ['default:read'],
  writer: ['default:write'],
  admin: ['temporal-system:admin'],
  owner: ['orders:admin'],
  scoped: ['orders:read', 'orders:write'],
};

const key = await signingKey();
const made = new Provider(issuer, {
  jwks: { keys: [key] },
  clients: [
    {
      client_id: 'web-ui',
      client_secret: 'a-secret-of-the-web-ui',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${server}/auth/sso/callback`],
      post_logout_redirect_uris: [`${server}/sign-in?signedOut=true`],
      backchannel_logout_uri: `${server}/auth/backchannel-logout`,
      response_types: ['code'],
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  fetch: onLoopback,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: id.charAt(0).toUpperCase() + id.slice(1),
      email: id === 'mallory' ? 'mallory@elsewhere.example' : `${id}@example.com`,
      email_verified: true,
    }),
  }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  extraTokenClaims: (_, token) => ({ permissions: PERMISSIONS[token.accountId] ?? [] }),
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: true, logoutSource },
    backchannelLogout: { enabled: true },
    resourceIndicators: jsonWebTokens(() => 300),
  },
});

const page = (title, body) => `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}`;

/** Asks nobody whether they are sure. */
function logoutSource(context, form) {
  context.body = page(
    'Signing out',
    `${form}<button form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>`,
  );
}

/** Somebody says who they are, or goes away; what is then asked for is granted. */
async function interact(request, response) {
  const { prompt, params, session } = await made.interactionDetails(request, response);
  const finish = (result) =>
    made.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  if (prompt.name === 'consent') {
    return finish(await consent(made, { params, session }, 'openid profile email offline_access'));
  }
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html');
    return response.end(
      page(
        'Who are you?',
        `<form method="post" action="${request.url}"><label>Name <input name="login" autofocus></label>
         <button>Continue</button> <button name="cancel" value="yes">Cancel</button></form>`,
      ),
    );
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  if (form.has('cancel')) {
    return finish({ error: 'access_denied', error_description: 'the person went away' });
  }
  return finish({ login: { accountId: form.get('login') } });
}

const listener = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  try {
    if (pathname.startsWith('/interaction/')) await interact(request, response);
    else if (request.method === 'POST' && pathname === '/sign-out') {
      const client = await made.Client.find('web-ui');
      await client.backchannelLogout(searchParams.get('account'));
      response.end();
    } else made.callback()(request, response);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end(String(error));
  }
});
listener.listen(Number(port), 'localhost', () => console.log('listens'));
