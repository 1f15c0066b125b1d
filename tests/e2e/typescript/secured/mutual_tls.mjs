/**
 * Says whether there is a connection over mutual TLS.
 *
 *     node mutual_tls.mjs ADDRESS ROOTS CERTIFICATE KEY
 */

import { readFileSync } from 'node:fs';
import { NativeConnection } from '@temporalio/worker';

function overMutualTls(address, roots, certificate, key) {
  const tls = {
    serverRootCACertificate: readFileSync(roots),
    clientCertPair: { crt: readFileSync(certificate), key: readFileSync(key) },
  };
  return NativeConnection.connect({ address, tls });
}

const connection = await overMutualTls(...process.argv.slice(2));
await connection.workflowService.getSystemInfo({});
console.log('connected');
await connection.close();
