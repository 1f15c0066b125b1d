/**
 * An OpenID Connect provider (`oidc-provider`) with one client, whose access tokens are JSON web
 * tokens with permissions. `POST /rotate` gives it another signing key, and forgets the former.
 *
 *     node provider.mjs PORT
 */

import { generateKeyPair, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const AUDIENCE = 'temporal';

async function signingKey() {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ format: 'jwk' });
  return { ...key, kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

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
    ],
    extraTokenClaims: () => ({ permissions: ['default:write', 'default:worker'] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:temporal',
        getResourceServerInfo: () => ({
          scope: '',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  return made.callback();
}

let current = await provider();
const server = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/rotate') {
    current = await provider();
    response.end();
    return;
  }
  current(request, response);
});
server.listen(port, '127.0.0.1', () => console.log('listens'));
