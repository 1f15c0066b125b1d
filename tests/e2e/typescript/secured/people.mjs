/**
 * An OpenID Connect provider (`oidc-provider`) for people who sign in to a web UI. Who comes says with
 * `login_hint` who it is: `newcomer` without any right, `reader`, `writer`, `admin`; `nobody` says no.
 * `POST /forget` makes it forget everybody and everything but its keys. `GET /counts` says how often
 * tokens were renewed.
 *
 *     node people.mjs '{"port": 1, "url": "http://localhost:2", "tokenSeconds": 300, "idToken": false}'
 */

import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { consent, jsonWebTokens, onLoopback, signingKey } from './providing.mjs';

const { port, url, tokenSeconds } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const PERMISSIONS = {
  newcomer: [],
  reader: ['default:read'],
  writer: ['default:write'],
  admin: ['temporal-system:admin'],
};

const signing = await signingKey();
const counts = { renewed: 0 };

function provider() {
  const made = new Provider(issuer, {
    jwks: { keys: [signing] },
    clients: [
      {
        client_id: 'ui',
        client_secret: 'ui-secret-canary',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`${url}/auth/sso/callback`, `${url}/auth/sso_callback`],
        post_logout_redirect_uris: [`${url}/`],
        backchannel_logout_uri: `${url}/auth/backchannel-logout`,
        backchannel_logout_session_required: true,
        response_types: ['code'],
      },
    ],
    claims: {
      openid: ['sub', 'groups'],
      profile: ['name'],
      email: ['email', 'email_verified'],
    },
    conformIdTokenClaims: false,
    cookies: { keys: ['people'] },
    extraTokenClaims: (_, token) => ({ permissions: PERMISSIONS[token.accountId] }),
    fetch: onLoopback,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `The ${id}`,
        email: `${id}@example.com`,
        email_verified: true,
        groups: [`${id}s`],
      }),
    }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: jsonWebTokens(() => tokenSeconds),
    },
    ttl: { IdToken: 3600, Grant: 86400, Session: 86400, RefreshToken: 86400 },
  });
  made.on('grant.success', (context) => {
    if (context.oidc.params.grant_type === 'refresh_token') counts.renewed += 1;
  });
  made.on('backchannel.error', (_, error) => console.log(error));
  return made;
}

/** Somebody signs in, or agrees, as the provider wants. */
async function interact(made, request, response) {
  const { prompt, params, session } = await made.interactionDetails(request, response);
  const accountId = params.login_hint ?? 'reader';
  let result = { login: { accountId } };
  if (!(accountId in PERMISSIONS)) {
    result = { error: 'access_denied', error_description: 'not today' };
  } else if (prompt.name === 'consent') {
    result = await consent(made, { params, session }, params.scope);
  }
  await made.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

let current = provider();
const server = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/forget') {
    current = provider();
    response.end();
  } else if (request.url === '/counts') {
    response.end(JSON.stringify(counts));
  } else if (request.url.startsWith('/interaction/')) {
    await interact(current, request, response);
  } else {
    current.callback()(request, response);
  }
});
server.listen(port, '127.0.0.1', () => console.log('listens'));
