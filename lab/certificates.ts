/**
 * The lab's own certificate authority and one server certificate for both simulated worlds.
 * Rule: private keys are readable by the owner only (0600) and never leave the lab's folder.
 * Clients trust the authority by file; no check is ever switched off.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const key = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** Names under which the lab's servers are reached; the last one is the host of every disk's SAS. */
export const serverNames = ['localhost', '*.blob.storage.azure.net'];
const serverAddresses = ['127.0.0.1', '::1'];

export interface Certificates {
  /** PEM of the authority, for clients to trust. */
  readonly caFile: string;
  /** PEM of the server certificate, followed by the authority's. */
  readonly certFile: string;
  readonly keyFile: string;
}

const pem = async (kind: 'pkcs8', pair: webcrypto.CryptoKeyPair): Promise<string> => {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey(kind, pair.privateKey));
  const lines = bytes.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN PRIVATE KEY-----\n${lines.trimEnd()}\n-----END PRIVATE KEY-----\n`;
};

/** Makes a new authority and server certificate in `folder`, valid from yesterday for 30 days. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const usages: webcrypto.KeyUsage[] = ['sign', 'verify'];
  const [authorityKeys, serverKeys] = await Promise.all([
    webcrypto.subtle.generateKey(key, true, usages),
    webcrypto.subtle.generateKey(key, true, usages),
  ]);
  const validity = { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + 30 * dayMs) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=Homeward Lab Authority',
    keys: authorityKeys,
    signingAlgorithm: key,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const server = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: 'CN=localhost',
    issuer: authority.subject,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...serverNames.map((value) => ({ type: 'dns' as const, value })),
        ...serverAddresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
    ],
  });
  const files: Certificates = {
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server.key'),
  };
  await writeFile(files.caFile, `${authority.toString('pem')}\n`);
  await writeFile(files.certFile, `${server.toString('pem')}\n${authority.toString('pem')}\n`);
  await writeFile(files.keyFile, await pem('pkcs8', serverKeys), { mode: 0o600 });
  return files;
}
