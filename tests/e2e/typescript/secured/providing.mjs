/** What the OpenID Connect providers (`oidc-provider`) of these tests have in common. */

import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

/** What access tokens are for. */
const RESOURCE = 'urn:temporal';

/** A key to sign tokens with. */
export async function signingKey() {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

/** Access tokens are JSON web tokens; `seconds` says how long those of a client hold. */
export const jsonWebTokens = (seconds) => ({
  enabled: true,
  defaultResource: () => RESOURCE,
  useGrantedResource: () => true,
  getResourceServerInfo: (_, resource, client) => ({
    scope: '',
    audience: 'temporal',
    accessTokenFormat: 'jwt',
    accessTokenTTL: seconds(client),
    jwt: { sign: { alg: 'RS256' } },
  }),
});

/** Calls of a provider; by itself it calls nothing on loopback, where the tests are. */
export const onLoopback = (address, { dispatcher, ...options }) => fetch(address, options);

/** Somebody agrees to what is asked for in these scopes. */
export async function consent(provider, { params, session }, scopes) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(scopes);
  grant.addResourceScope(RESOURCE, '');
  return { consent: { grantId: await grant.save() } };
}
