/**
 * An OpenID Connect provider (`oidc-provider`) with a client `worker` that has a secret, and a client
 * `cli` of people, of whom all are Alice and agree to everything. Access tokens are JSON web tokens
 * with permissions; those of people end soon. `POST /rotate` gives it another signing key, and
 * forgets the former.
 *
 *     node provider.mjs PORT
 */

import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { consent, jsonWebTokens, signingKey } from './providing.mjs';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

/** The provider with a new key. */
async function provider() {
  const made = new Provider(issuer, {
    jwks: { keys: [await signingKey()] },
    clients: [
      {
        client_id: 'worker',
        client_secret: 'worker-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'cli',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token', DEVICE],
        redirect_uris: ['http://127.0.0.1/callback'],
        response_types: ['code'],
      },
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    extraTokenClaims: () => ({ permissions: ['default:write', 'default:worker'] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      resourceIndicators: jsonWebTokens((client) => (client.clientId === 'cli' ? 31 : 300)),
    },
  });
  return made;
}

/** Alice logs in, or agrees, as the provider wants. */
async function interact(made, request, response) {
  const { prompt, params, session } = await made.interactionDetails(request, response);
  let result = { login: { accountId: 'alice' } };
  if (prompt.name === 'consent') {
    result = await consent(made, { params, session }, 'openid offline_access');
  }
  await made.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

let current = await provider();
const server = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/rotate') {
    current = await provider();
    response.end();
    return;
  }
  if (request.url.startsWith('/interaction/')) {
    await interact(current, request, response);
    return;
  }
  current.callback()(request, response);
});
server.listen(port, '127.0.0.1', () => console.log('listens'));
